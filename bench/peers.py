"""Other ways to serve the same bytes, each as an application for granian; `bench/serve.py` starts them.

The bodies are in the database that PEERS_REDIS names, under `peer:<address>`. It runs in an environment of
its own, with the packages of `bench/peers.txt`; an application imports only what is its own.
"""

# ruff: noqa: PLC0415

import json
import os
from functools import cache

REDIS = os.environ["PEERS_REDIS"]


@cache
def _client():
    import redis

    return redis.Redis.from_url(REDIS)


def _body(address: str) -> bytes:
    return _client().get(f"peer:{address}") or b"{}"


def flask_caching():
    """Flask with Flask-Caching in Redis, as its documentation has it."""
    from flask import Flask, Response, request
    from flask_caching import Cache

    app = Flask(__name__)
    cached = Cache(app, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": REDIS})

    @app.get("/<path:path>")
    @cached.cached(timeout=3600, query_string=True)
    def figures(path: str) -> Response:
        address = f"/{path}?{request.query_string.decode()}".rstrip("?")
        return Response(_body(address), content_type="application/json")

    return app


def nothing():
    """Only sends: what the server itself takes of a core. No WSGI application on it does better."""
    bodies = {}

    def application(environ, start_response):
        query = environ["QUERY_STRING"]
        address = environ["PATH_INFO"] + (f"?{query}" if query else "")
        if address not in bodies:
            bodies[address] = _body(address)
        body = bodies[address]
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return (body,)

    return application


def flask_json():
    """Flask that holds everything in memory as objects and writes JSON for each request."""
    from flask import Flask, jsonify, request

    app = Flask(__name__)

    @cache
    def parsed(address: str):
        return json.loads(_body(address))

    @app.get("/<path:path>")
    def figures(path: str):
        return jsonify(parsed(f"/{path}?{request.query_string.decode()}".rstrip("?")))

    return app


def django_cache():
    """Django's cache of views, in Redis."""
    import django
    from django.conf import settings

    class Urls:
        urlpatterns = ()

    backend = "django.core.cache.backends.redis.RedisCache"
    settings.configure(
        ALLOWED_HOSTS=["*"],
        CACHES={"default": {"BACKEND": backend, "LOCATION": REDIS}},
        ROOT_URLCONF=Urls,
        SECRET_KEY="bench",
    )
    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import re_path
    from django.views.decorators.cache import cache_page

    @cache_page(3600)
    def figures(request):
        return HttpResponse(_body(request.get_full_path()), content_type="application/json")

    Urls.urlpatterns = [re_path(r"^.*$", figures)]
    return get_wsgi_application()


def starlette():
    """Starlette that reads the body from Redis for each request; the only one by ASGI."""
    import redis.asyncio
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    pool = redis.asyncio.BlockingConnectionPool.from_url(REDIS, max_connections=50, timeout=None)
    client = redis.asyncio.Redis(connection_pool=pool)

    async def figures(request):
        address = f"{request.url.path}?{request.url.query}".rstrip("?")
        return Response(await client.get(f"peer:{address}"), media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", figures)])
