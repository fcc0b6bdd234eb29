"""An S3 service on loopback, which checks signatures. Prints its address and a key, and ends with whoever started it."""

import json
import logging
import os
import time

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3
from moto.server import ThreadedMotoServer

# A line for each request would bury what the tests say.
logging.getLogger("werkzeug").setLevel(logging.ERROR)

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
anybody = {
    "endpoint_url": address,
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
}
iam = boto3.client("iam", **anybody)
iam.create_user(UserName="onepoint")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="onepoint", PolicyName="all", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="onepoint")["AccessKey"]
boto3.client("s3", **anybody).create_bucket(Bucket="onepoint")
print("ready", address, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(1)
server.stop()
