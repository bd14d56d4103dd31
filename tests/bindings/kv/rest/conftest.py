from tests.wrangler_compat.api.conftest import client as client
from tests.wrangler_compat.api.conftest import clock as clock
from tests.wrangler_compat.api.conftest import store as store
from tests.wrangler_compat.api.conftest import url as url
