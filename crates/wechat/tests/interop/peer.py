"""Drives the sandbox with an SDK nobody here wrote, and verifies the sandbox's notifications with it.

Argument: a JSON file with both sides' settings. Ends with "ok" and exit status 0, or with the first thing that differs.
"""

import gzip
import hashlib
import http.server
import json
import queue
import sys
import threading
from datetime import datetime, timedelta, timezone

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from wechatpayv3 import WeChatPay, WeChatPayType

setup = json.load(open(sys.argv[1], encoding="utf-8"))
base_url = setup["base_url"]
session = requests.Session()
session.trust_env = False
received = queue.Queue()


class Notify(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Notify)
threading.Thread(target=server.serve_forever, daemon=True).start()
notify_url = "http://127.0.0.1:%d/notify" % server.server_port


def check(what, is_right, detail=""):
    if not is_right:
        sys.exit("%s: %s" % (what, detail))
    print("checked:", what)


def sandbox(path, body=None, method="POST"):
    answer = session.request(method, base_url + "/sandbox/" + path, json=body if body is not None else {}, timeout=10)
    check("control " + path, answer.ok, answer.text)
    return answer.json() if answer.content else None


def client(merchant, partner_mode, platform=None):
    platform = platform or setup["platform_keys"][0]
    wx = WeChatPay(
        wechatpay_type=WeChatPayType.MINIPROG,
        mchid=merchant["mchid"],
        private_key=merchant["private_key_pem"],
        cert_serial_no=merchant["serial_no"],
        apiv3_key=merchant["apiv3_key"],
        appid=setup["appid"],
        notify_url=notify_url,
        public_key=platform["public_key_pem"],
        public_key_id=platform["serial"],
        partner_mode=partner_mode,
        timeout=(5, 10),
    )
    wx._core._gate_way = base_url
    return wx


def exercise(merchant, partner_mode, prefix):
    wx = client(merchant, partner_mode)
    sub = {"sub_mchid": merchant["sub_mchids"][0]} if partner_mode else {}
    payer = {"sp_openid" if partner_mode else "openid": "oInteropParent"}
    number = prefix + "000001"
    order = dict(
        description="课后服务费", out_trade_no=number, amount={"total": 12000, "currency": "CNY"}, payer=payer, attach="附加", **sub
    )

    code, text = wx.pay(**order)
    check(prefix + " order", code == 200, (code, text))
    prepay_id = json.loads(text)["prepay_id"]

    code, text = wx.query(out_trade_no=number, **sub)
    check(prefix + " unpaid query", (code, json.loads(text)["trade_state"]) == (200, "NOTPAY"), (code, text))

    # The sheet: signed by the SDK, checked by the sandbox.
    stamp, nonce, package = str(int(datetime.now().timestamp())), "0123456789abcdef", "prepay_id=" + prepay_id
    sheet = {"timeStamp": stamp, "nonceStr": nonce, "package": package, "signType": "RSA"}
    sheet["paySign"] = wx.sign([setup["appid"], stamp, nonce, package])
    sandbox("request-payment", sheet)

    headers, body = received.get(timeout=10)
    notified = wx.callback(headers, body)
    check(prefix + " payment notification", notified and notified["event_type"] == "TRANSACTION.SUCCESS", notified)
    paid = notified["resource"]
    check(prefix + " notified payment", (paid["out_trade_no"], paid["amount"]["total"], paid["attach"]) == (number, 12000, "附加"), paid)
    check(prefix + " tampered notification", wx.callback(headers, body.replace(b"encrypt-resource", b"encrypt-resourcf")) is None)

    code, text = wx.query(transaction_id=paid["transaction_id"], **sub)
    check(prefix + " query by transaction", (code, json.loads(text)["trade_state"]) == (200, "SUCCESS"), (code, text))

    code, text = wx.close(number, **sub)
    check(prefix + " close of a paid order", code == 400, (code, text))

    code, text = wx.refund(
        out_refund_no=prefix + "R1", out_trade_no=number, reason="停课", amount={"refund": 5000, "total": 12000, "currency": "CNY"}, **sub
    )
    check(prefix + " refund", (code, json.loads(text)["status"]) == (200, "PROCESSING"), (code, text))
    notified = wx.callback(*received.get(timeout=10))
    check(prefix + " refund notification", notified["resource"]["refund_status"] == "SUCCESS", notified)
    code, text = wx.query_refund(prefix + "R1", **sub)
    check(prefix + " refund query", (code, json.loads(text)["status"]) == (200, "SUCCESS"), (code, text))

    order["out_trade_no"] = prefix + "000002"
    check(prefix + " second order", wx.pay(**order)[0] == 200)
    code, text = wx.close(order["out_trade_no"], **sub)
    check(prefix + " close, signed over an empty body", code == 204, (code, text))
    code, text = wx.query(out_trade_no=order["out_trade_no"], **sub)
    check(prefix + " closed query", json.loads(text)["trade_state"] == "CLOSED", text)

    code, text = wx.pay(**{**order, "out_trade_no": prefix + "000003", "description": "\U00020bb7"})
    check(prefix + " four-byte character", code == 400 and json.loads(text)["code"] == "PARAM_ERROR", (code, text))
    return wx, number


direct, number = exercise(setup["direct"], False, "KHD")
exercise(setup["partner"], True, "KHP")

# The other platform key, asked for by the request.
other = client(setup["direct"], False, setup["platform_keys"][1])
check("answer under a certificate serial", other.query(out_trade_no=number)[0] == 200)

# A forged answer and forged notifications must not pass the SDK either.
sandbox("faults", {"target": "query", "kind": "forge", "count": 1})
try:
    direct.query(out_trade_no=number)
    sys.exit("a forged answer passed")
except Exception as error:
    check("forged answer", "signature" in str(error), error)
for kind in ("bad_signature", "tampered"):
    sandbox("forge", {"out_trade_no": number, "kind": kind})
    check("forged notification, " + kind, direct.callback(*received.get(timeout=10)) is None)

# The bill, made for a day long gone by moving nothing: yesterday had no trade.
yesterday = (datetime.now(timezone(timedelta(hours=8))) - timedelta(days=2)).strftime("%Y-%m-%d")
code, text = direct.trade_bill(yesterday)
check("bill of an idle day", code == 400 and json.loads(text)["code"] == "NO_STATEMENT_EXIST", (code, text))

# OAEP: the SDK decrypts what our client encrypts, under WeChat's private key.
key = serialization.load_pem_private_key(setup["platform_keys"][0]["private_key_pem"].encode(), None)
oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
import base64  # noqa: E402

plain = key.decrypt(base64.b64decode(setup["encrypted_field"]), oaep).decode()
check("encrypted field", plain == "张三", plain)

print("ok")
