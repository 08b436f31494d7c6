"""Seeded defects at the door: gateways' gate, buffer, health, configuration, limits."""

from bench.torture.seeded import Defect, of_portal

GATE = "tests/payments/test_gateways.py"
GATEWAYS = (GATE, "tests/payments/test_races.py")
BUFFERED = "tests/security/test_buffered.py"
HEALTH = "tests/worker/test_health.py"
METRICS = "tests/worker/test_metrics.py"
WATCH = "tests/worker/test_watch.py"
CONFIG = "tests/test_config.py"
REFUSED = f"{CONFIG}::test_bad_configuration_is_refused_with_all_reasons"
QUALITY = "tests/payments/test_integration_quality.py"
GATES = "tests/security/test_gates.py"
LOGIN = "tests/accounts/test_login.py"


_GATEWAYS = (
    of_portal(
        "gateways that hang take every thread",
        f"{GATE}::test_half_of_the_threads_at_most_wait_for_gateways",
        "payments/gateways/base.py",
        "    if not _slots.acquire(timeout=wait_seconds):",
        "    if False:",
        *GATEWAYS,
    ),
    of_portal(
        "as many calls as there are threads",
        f"{GATE}::test_half_of_the_threads_at_most_wait_for_gateways",
        "payments/gateways/base.py",
        "MAX_CALLS = 8\n",
        "MAX_CALLS = 16\n",
        *GATEWAYS,
    ),
    of_portal(
        "a slot is given back by a call that went well alone",
        f"{GATE}::test_a_call_that_fails_gives_its_slot_back",
        "payments/gateways/base.py",
        "        yield\n    finally:\n        _slots.release()\n",
        "        yield\n    except ValueError:\n        raise\n"
        "    else:\n        _slots.release()\n",
        *GATEWAYS,
    ),
    of_portal(
        "a commit waits no longer for a slot than the rest",
        f"{GATE}::test_a_commit_waits_longer_for_its_slot",
        "payments/gateways/base.py",
        "COMMIT_WAIT_SECONDS = 15.0",
        "COMMIT_WAIT_SECONDS = 2.0",
        *GATEWAYS,
    ),
    of_portal(
        "our key follows a redirect of Webpay's",
        f"{GATE}::test_no_redirect_takes_our_key_along[webpay]",
        "payments/gateways/webpay.py",
        "verb, allow_redirects=False, **kwargs",
        "verb, allow_redirects=True, **kwargs",
        *GATEWAYS,
    ),
    of_portal(
        "our token follows a redirect of Mercado Pago's",
        f"{GATE}::test_no_redirect_takes_our_key_along[mercadopago]",
        "payments/gateways/mercadopago.py",
        "self._base + path, allow_redirects=False, **kwargs",
        "self._base + path, allow_redirects=True, **kwargs",
        *GATEWAYS,
    ),
)

_BUFFER = (
    of_portal(
        "a slow body is waited for without an end",
        f"{BUFFERED}::test_a_slow_body_is_let_go_and_never_reaches_the_application",
        "buffer.py",
        "asyncio.timeout(BODY_SECONDS)",
        "asyncio.timeout(None)",
    ),
    of_portal(
        "an endless body is read to its end",
        f"{BUFFERED}::test_an_endless_body_without_a_length_ends_at_the_limit",
        "buffer.py",
        "                if len(found) > MAX_BODY_BYTES:\n                    break\n",
        "",
    ),
    of_portal(
        "what is told to be too long is read",
        f"{BUFFERED}::test_a_body_told_to_be_too_long_is_not_even_read",
        "buffer.py",
        "    if int(length) > MAX_BODY_BYTES:\n",
        "    if False:\n",
    ),
    of_portal(
        "any word is a length",
        f"{BUFFERED}::test_a_length_that_is_none_is_refused",
        "buffer.py",
        "    if not length.isascii() or not length.isdigit() or len(length) > 9:",
        "    if not length.isdigit():",
    ),
    of_portal(
        "an underscore passes for a proxy's hyphen",
        f"{BUFFERED}::test_headers_of_one_name_are_one_and_underscores_are_no_hyphens",
        "buffer.py",
        '        if "_" not in name:\n',
        "        if True:\n",
    ),
    of_portal(
        "a told length goes on beside the real one",
        f"{BUFFERED}::test_a_body_in_pieces_is_one_and_its_length_is_told",
        "buffer.py",
        '    made.pop("HTTP_TRANSFER_ENCODING", None)\n',
        "",
    ),
)

_HEALTH = (
    of_portal(
        "a database behind the program is well",
        f"{HEALTH}::test_database_behind_the_program_is_503[sqlite]",
        "worker/views.py",
        "        if not queries.migrations_in_place(session):",
        "        if False:",
    ),
    of_portal(
        "a database out of reach is a page of error",
        f"{HEALTH}::test_database_out_of_reach_is_503",
        "worker/views.py",
        "    except SQLAlchemyError as error:",
        "    except ZeroDivisionError as error:",
    ),
    of_portal(
        "a worker that stopped is well",
        f"{HEALTH}::test_worker_that_stopped_reads_degraded",
        "worker/rules.py",
        "return worker_age is None or worker_age >= STOPPED_WORKER_SECONDS",
        "return worker_age is None",
    ),
    of_portal(
        "mails that are stuck are well",
        f"{HEALTH}::test_mail_that_is_stuck_reads_degraded[sqlite]",
        "worker/rules.py",
        "return outbox_age is not None and outbox_age >= STUCK_OUTBOX_SECONDS",
        "return False",
    ),
    of_portal(
        "backups that have stopped are well",
        f"{HEALTH}::test_backups_that_stopped_read_degraded",
        "worker/rules.py",
        "    old = backups_expected and is_old_backup(backup_age)\n",
        "    old = False\n",
        HEALTH,
        "tests/worker/test_rules.py",
    ),
    of_portal(
        "figures without the token",
        f"{METRICS}::test_without_the_token_there_is_no_such_page",
        "worker/metrics_views.py",
        "    if not wanted or not hmac.compare_digest(",
        "    if False and (",
    ),
    of_portal(
        "figures though no token is set",
        f"{METRICS}::test_without_the_token_there_is_no_such_page",
        "worker/metrics_views.py",
        "    wanted = settings().metrics_token\n",
        '    wanted = settings().metrics_token or "x"\n',
    ),
    of_portal(
        "the age of the worker is not told",
        f"{METRICS}::test_figures_are_those_of_the_database[sqlite]",
        "worker/metrics_queries.py",
        '"Since the last sign of any worker.", pulse.worker_age\n',
        '"Since the last sign of any worker.", 0\n',
    ),
    of_portal(
        "the age of the outbox is not told",
        f"{METRICS}::test_figures_tell_the_outbox[sqlite]",
        "worker/metrics_queries.py",
        "            pulse.outbox_age,\n",
        "            None,\n",
    ),
    of_portal(
        "a mail put off on purpose is counted as due",
        f"{METRICS}::test_figures_tell_the_outbox[sqlite]",
        "worker/metrics_queries.py",
        '            OutboxRow.state == "pending", OutboxRow.next_at <= now\n',
        '            OutboxRow.state == "pending"\n',
    ),
    of_portal(
        "the owner is not told of a worker that stopped",
        f"{WATCH}::test_owner_is_mailed_once_of_a_worker_that_stopped[sqlite]",
        "worker/rules.py",
        "return beat is None or (now - beat).total_seconds() >= MUTE_SECONDS",
        "return beat is None",
        WATCH,
    ),
    of_portal(
        "a database that takes nothing is told to nobody",
        f"{WATCH}::test_database_that_takes_nothing_is_told_past_the_outbox",
        "worker/watch_service.py",
        "                self._tell_directly(now)\n",
        "                pass\n",
    ),
)


def _configured(name: str, old: str, new: str = "    if False:\n") -> Defect:
    return Defect(name, REFUSED, "portal/config.py", old, new, (CONFIG, QUALITY))


_CONFIGURATION = (
    _configured(
        "production with a clock that is set",
        "    if settings.portal_now is not None:\n",
    ),
    _configured(
        "production without https",
        "    if settings.public_url and not "
        'settings.public_url.startswith("https://"):\n',
    ),
    _configured(
        "production with a simulated Mercado Pago",
        "    if settings.mercadopago_api_url != MERCADOPAGO_LIVE_URL:\n",
    ),
    _configured(
        "production with a simulated Webpay",
        "    if settings.webpay_api_url != WEBPAY_LIVE_URL:\n",
    ),
    _configured(
        "production with Transbank's public key",
        "    if settings.webpay_api_key == WEBPAY_TEST_KEY:\n",
    ),
    _configured(
        "production with a test token",
        '    if settings.mercadopago_access_token.startswith("TEST-"):\n',
    ),
    _configured("production without mail", "    if settings.smtp_url is None:\n"),
    _configured(
        "a secret key that can be guessed",
        "        if len(key) < MIN_SECRET_LENGTH or len(set(key)) < 8:\n",
        "        if len(key) < MIN_SECRET_LENGTH:\n",
    ),
    _configured(
        "only the newest secret key is looked at",
        "    _check_secrets(keys, reader.problems)\n",
        "    _check_secrets(keys[:1], reader.problems)\n",
    ),
    of_portal(
        "a demo over the real orders",
        f"{CONFIG}::test_demo_refuses_the_database_of_production",
        "config.py",
        "shown in _lines(settings.state_dir / PRODUCTION_MARK)",
        "False",
    ),
    of_portal(
        "production with the accounts of the demo",
        f"{CONFIG}::test_production_refuses_the_database_of_the_demo",
        "config.py",
        "shown in _lines(settings.state_dir / DEMO_MARK)",
        "False",
    ),
    Defect(
        "reasons are told one at a time",
        REFUSED,
        "portal/config.py",
        "        raise ConfigurationError(reader.problems)\n",
        "        raise ConfigurationError(reader.problems[:1])\n",
        (CONFIG, QUALITY, METRICS),
    ),
)


def _limit(name: str, first: str, file: str, line: str) -> Defect:
    return of_portal(name, first, file, f"@{line}\n", "")


_THROTTLES = (
    _limit(
        "an account is guessed at from many addresses",
        f"{GATES}::test_thousand_addresses_have_twenty_tries_an_hour_and_lock_nobody"
        "_out",
        "accounts/views.py",
        "limiter.limit(_PER_ACCOUNT, key_func=_account_and_device, "
        "deduct_when=_failed)",
    ),
    _limit(
        "an account is guessed at from one address",
        f"{LOGIN}::test_ninth_wrong_try_has_to_wait_and_then_may_again",
        "accounts/views.py",
        "limiter.limit(_PER_BOTH, key_func=_both, deduct_when=_failed)",
    ),
    _limit(
        "many accounts are guessed at from one address",
        f"{GATES}::test_flood_of_log_ins_at_many_accounts_ends",
        "accounts/views.py",
        'limiter.limit(_PER_ADDRESS, methods=["POST"], deduct_when=_failed)',
    ),
    _limit(
        "an own password is guessed at",
        f"{LOGIN}::test_guesses_at_the_present_password_are_counted",
        "accounts/views.py",
        "limiter.limit(_PER_ACCOUNT, key_func=_who, deduct_when=_guessed)",
    ),
    _limit(
        "codes of screens are guessed at",
        "tests/board/test_screens.py::test_guessing_codes_is_throttled",
        "board/screens_views.py",
        'limiter.limit(_PAIRINGS, methods=["POST"], deduct_when=_failed)',
    ),
    _limit(
        "links are asked for without an end",
        "tests/orders/test_resend.py::test_one_address_of_the_network_cannot_ask_for_ever",
        "orders/views.py",
        "limiter.limit(RESEND_LIMIT)",
    ),
    _limit(
        "orders are placed without an end",
        f"{GATES}::test_flood_of_orders_ends_and_a_shared_address_does_not_meet_it",
        "storefront/views.py",
        "web.limiter.limit(PLACED_LIMIT, deduct_when=_was_placed)",
    ),
    _limit(
        "attempts on one order without an end",
        f"{GATES}::test_flood_of_attempts_on_one_order_ends",
        "contact/views.py",
        "limiter.limit(_PER_ORDER, key_func=_order_asked)",
    ),
    _limit(
        "attempts of one address without an end",
        f"{GATES}::test_flood_of_attempts_of_one_address_ends",
        "contact/views.py",
        "limiter.limit(_PER_ADDRESS)",
    ),
    _limit(
        "requests over personal data without an end",
        f"{GATES}::test_flood_of_requests_over_personal_data_ends",
        "privacy/views.py",
        "limiter.limit(ASK_LIMIT)",
    ),
    of_portal(
        "a household of IPv6 has addresses without an end",
        f"{GATES}::test_an_ipv6_household_is_one_address",
        "web.py",
        "        return str(IPv6Network((int(found) >> 64 << 64, 64)))\n",
        "        return str(found)\n",
    ),
    of_portal(
        "a stranger's word tells where a request comes from",
        f"{GATES}::test_forwarded_addresses_of_strangers_are_not_believed",
        "web.py",
        "    if proxies:\n",
        "    if proxies := proxies or 1:\n",
    ),
)

_DOOR = (
    of_portal(
        "any host is answered",
        f"{GATES}::test_only_our_own_host_is_answered",
        "composition.py",
        '        "TRUSTED_HOSTS": _trusted_hosts(settings),\n',
        "",
    ),
    of_portal(
        "a log-in leads to another site",
        f"{LOGIN}::test_log_in_leads_nowhere_else",
        "accounts/views.py",
        "    target = own_path(form.next.data) or person().home\n",
        "    target = form.next.data or person().home\n",
    ),
    of_portal(
        "two slashes are a path of ours",
        "tests/accounts/test_rules.py::test_next_never_leaves_the_site",
        "accounts/rules.py",
        ' or target.startswith("//"):',
        ":",
    ),
    of_portal(
        "scripts in a page run",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "script-src 'self'; style",
        "script-src 'self' 'unsafe-inline'; style",
    ),
    of_portal(
        "another site frames us",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "frame-ancestors 'none'; form",
        "form",
    ),
    of_portal(
        "forms of every page may leave us",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "_CSP.format(form_action=\"'self'\")",
        "_CSP.format(form_action=\"'self' https:\")",
    ),
    of_portal(
        "http is not closed",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        '        headers["Strict-Transport-Security"] = "max-age=63072000; '
        'includeSubDomains"\n',
        "        pass\n",
    ),
    of_portal(
        "a page of a customer is kept on the way",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        '    headers.setdefault("Cache-Control", "no-store")\n',
        "",
    ),
    of_portal(
        "the secret link is told to the next site",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        '    headers["Referrer-Policy"] = "no-referrer"\n',
        "",
    ),
    of_portal(
        "a session's cookie goes by http",
        f"{GATES}::test_cookies_are_of_this_host_alone",
        "composition.py",
        '        "SESSION_COOKIE_SECURE": secure,\n',
        "",
    ),
    of_portal(
        "a form without its token is taken",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "    csrf.init_app(app)\n",
        '    csrf.init_app(app)\n    app.config["WTF_CSRF_CHECK_DEFAULT"] = False\n',
    ),
    of_portal(
        "JSON passes for a form",
        f"{GATES}::test_json_is_never_read",
        "inputs.py",
        "            return False\n",
        "            return super().is_json\n",
    ),
    of_portal(
        "a file passes for a field",
        f"{GATES}::test_a_file_in_place_of_a_field_is_no_field",
        "inputs.py",
        "            return ImmutableMultiDict()\n",
        '            return self.__dict__.get("files") or super().files\n',
    ),
    of_portal(
        "a part without a name breaks the form",
        f"{GATES}::test_a_part_without_a_name_is_no_field",
        "inputs.py",
        "            if None in form:",
        "            if False:",
    ),
    of_portal(
        "a NUL in an address reaches the database",
        f"{GATES}::test_a_nul_in_an_address_reaches_no_database[postgresql]",
        "web.py",
        "    app.wsgi_app = inputs.without_nul(app.wsgi_app)"
        "  # type: ignore[method-assign]\n",
        "",
    ),
    of_portal(
        "control characters come in",
        "tests/test_text.py::test_control_characters_and_lone_surrogates_are_refused",
        "text.py",
        '    return unicodedata.category(char) not in ("Cc", "Cs")',
        '    return unicodedata.category(char) not in ("Cs",)',
    ),
    of_portal(
        "a text has no length",
        "tests/test_text.py::test_length_is_counted_after_cleaning",
        "text.py",
        "    if len(text) > limit:\n",
        "    if False:\n",
    ),
    of_portal(
        "an error of the database quotes the row",
        f"{GATES}::test_what_a_row_holds_is_in_no_error_of_the_database[postgresql]",
        "db.py",
        '    event.listen(engine, "handle_error", _keep_values_out)\n',
        "",
    ),
    of_portal(
        "the secret address is logged",
        f"{GATES}::test_an_exception_is_logged_without_the_address_asked_for",
        "web.py",
        '"exception in %s [%s]", request.endpoint, request.method',
        '"exception in %s [%s]", request.path, request.method',
    ),
)


DOOR = (
    *(*_GATEWAYS, *_BUFFER, *_HEALTH, *_CONFIGURATION),
    *(*_THROTTLES, *_DOOR),
)
