"""API Shield: JSON Web Tokens are verified in front of a zone, and rules decide on them.

Source: https://developers.cloudflare.com/api-shield/security/jwt-validation/
"""
