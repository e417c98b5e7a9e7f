"""Just enough of an S3 client to fill a bucket and to look into it: requests with a signature of version 4, on a connection that stays open."""
import hashlib
import hmac
import http.client
import time
import urllib.parse

import radosgw

NAMES = "host;x-amz-content-sha256;x-amz-date"


class S3:
    """For one thread."""

    def __init__(self, port, bucket):
        self.host, self.bucket = f"127.0.0.1:{port}", bucket
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._day, self._key = "", b""

    def _signing_key(self, day):
        if day != self._day:
            key = b"AWS4" + radosgw.SECRET_KEY.encode()
            for part in (day, "us-east-1", "s3", "aws4_request"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self._day, self._key = day, key
        return self._key

    def ask(self, method, path, query="", body=b""):
        """The status and the body of the answer."""
        now, content = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), hashlib.sha256(body).hexdigest()
        canonical = f"{method}\n{path}\n{query}\nhost:{self.host}\nx-amz-content-sha256:{content}\nx-amz-date:{now}\n\n{NAMES}\n{content}"
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self._signing_key(now[:8]), text.encode(), hashlib.sha256).hexdigest()
        headers = {
            "Host": self.host, "x-amz-date": now, "x-amz-content-sha256": content, "Content-Length": str(len(body)),
            "Authorization": f"AWS4-HMAC-SHA256 Credential={radosgw.ACCESS_KEY}/{scope},SignedHeaders={NAMES},Signature={signature}"}
        for last in (False, True):
            try:
                self._connection.request(method, path + (f"?{query}" if query else ""), body=body, headers=headers)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, ConnectionError):  # the server closed a connection that was idle
                self._connection.close()
                if last:
                    raise
        raise AssertionError("not reached")

    def config(self, prefix="", access_key=radosgw.ACCESS_KEY):
        """What --objstore.config-file holds."""
        return (f"type: S3\nconfig:\n  bucket: {self.bucket}\n  endpoint: {self.host}\n  insecure: true\n"
                f"  access_key: {access_key}\n  secret_key: {radosgw.SECRET_KEY}\n" + (f"prefix: {prefix}\n" if prefix else ""))

    def make(self):
        status, body = self.ask("PUT", f"/{self.bucket}")
        assert status == 200, body
        return self

    def put(self, name, body):
        status, answer = self.ask("PUT", f"/{self.bucket}/" + urllib.parse.quote(name), body=body)
        assert status == 200, (name, answer)

    def get(self, name):
        status, body = self.ask("GET", f"/{self.bucket}/" + urllib.parse.quote(name))
        assert status == 200, (name, body)
        return body

    def objects(self, prefix):
        status, body = self.ask("GET", f"/{self.bucket}/", "prefix=" + urllib.parse.quote(prefix, safe=""))
        assert status == 200, body
        return {key: self.get(key) for key in (part.split("</Key>")[0] for part in body.decode().split("<Key>")[1:])}
