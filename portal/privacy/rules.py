"""What the privacy notice says that a program can know. Pure."""

from datetime import date

# Change both whenever the words of the notice change.
NOTICE_VERSION = 1
NOTICE_DATE = date(2026, 11, 24)
# As the tax records that they belong to.
KEEP_YEARS = 6
ANSWER_DAYS = 30
BLOCK_ANSWER_DAYS = 2
COMPLAINT_DAYS = 30
