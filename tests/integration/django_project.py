"""The settings of a Django project; a process has one."""

import django
from django.conf import settings

BACKEND = "ses_suppression.integrations.django.EmailBackend"


def configured_django() -> None:
    """Configure it, the first time that it is needed."""
    if not settings.configured:
        settings.configure(
            EMAIL_BACKEND=BACKEND,
            SES_SUPPRESSION={"BACKEND": "django.core.mail.backends.locmem.EmailBackend"},
            DEFAULT_CHARSET="utf-8",
            USE_I18N=False,
        )
        django.setup()
