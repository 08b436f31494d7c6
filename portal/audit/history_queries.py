"""I5 to I7: what the history itself must say, in plain SQL.

Folding the journal gives every state: each line starts where the one before it ended,
the last line of an object is the state that its table has, and the instants in the
tables are those of the lines.
"""

_MACHINES = (
    ("order", "orders"),
    ("payment", "payments"),
    ("attention", "attentions"),
    ("errand", "errands"),
    ("refund", "refunds"),
    ("privacy_request", "privacy_requests"),
)

BROKEN_CHAIN = """
SELECT object_id FROM (
  SELECT object_id, from_state,
    LAG(to_state) OVER (PARTITION BY object_id ORDER BY id) AS before
  FROM journal_entries WHERE object_kind = '{kind}' AND to_state IS NOT NULL
) AS line
WHERE (before IS NULL AND from_state IS NOT NULL)
   OR (before IS NOT NULL AND (from_state IS NULL OR from_state <> before))
"""
OTHER_STATE = """
SELECT t.id FROM {table} t WHERE t.state <> COALESCE((
  SELECT j.to_state FROM journal_entries j
  WHERE j.object_kind = '{kind}' AND j.object_id = t.id AND j.to_state IS NOT NULL
  ORDER BY j.id DESC LIMIT 1), '(no history)')
"""
WENT_BACK = """
SELECT object_id FROM journal_entries WHERE object_kind = 'payment'
  AND from_state IN ('approved', 'partly_refunded', 'refunded', 'charged_back')
  AND to_state NOT IN ('approved', 'partly_refunded', 'refunded', 'charged_back')
UNION ALL
SELECT object_id FROM journal_entries WHERE object_kind = 'payment'
  AND from_state IN ('refunded', 'charged_back') AND to_state <> from_state
"""
MAILED_TWICE = """
SELECT MIN(id) FROM outbox GROUP BY order_id, kind, key HAVING COUNT(*) > 1
"""
NEVER_CONFIRMED = """
SELECT o.id FROM orders o WHERE o.state IN ('paid', 'refunded', 'charged_back')
  AND NOT EXISTS (SELECT 1 FROM outbox m
                  WHERE m.order_id = o.id AND m.kind = 'order.confirmed')
"""

# Each instant is that of the line of history which wrote it.
OTHER_INSTANT = """
SELECT t.id FROM {table} t WHERE t.{column} IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM journal_entries j WHERE j.object_kind = '{kind}'
    AND j.object_id = t.id AND j.to_state IN ({states}) AND j.at = t.{column})
"""
_INSTANTS = (
    ("order", "orders", "created_at", "'awaiting_payment'"),
    ("order", "orders", "paid_at", "'paid'"),
    ("payment", "payments", "created_at", "'created', 'approved'"),
    ("attention", "attentions", "started_at", "'running'"),
    ("attention", "attentions", "closed_at", "'closed'"),
    ("errand", "errands", "done_at", "'done'"),
    ("refund", "refunds", "requested_at", "'requested', 'confirmed'"),
    ("refund", "refunds", "answered_at", "'confirmed', 'rejected', 'paid_by_hand'"),
)

# Invariant, meaning, statement: each must find no row.
STATEMENTS = (
    ("I5", "a payment that went back from approved", WENT_BACK),
    ("I6", "two mails of one kind about the same thing", MAILED_TWICE),
    ("I6", "a paid order whose confirmation was never asked for", NEVER_CONFIRMED),
    *(
        ("I7", f"a history of {table} with a gap", BROKEN_CHAIN.format(kind=kind))
        for kind, table in _MACHINES
    ),
    *(
        (
            "I7",
            f"a row of {table} in another state than its history",
            OTHER_STATE.format(kind=kind, table=table),
        )
        for kind, table in _MACHINES
    ),
    *(
        (
            "I7",
            f"{table}.{column} at another instant than its history",
            OTHER_INSTANT.format(kind=kind, table=table, column=column, states=states),
        )
        for kind, table, column, states in _INSTANTS
    ),
)
