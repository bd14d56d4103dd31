"""API Shield over REST: endpoint management, token configurations and validation rules.

Source: https://developers.cloudflare.com/api/resources/token_validation/ and .../api_gateway/.
"""
