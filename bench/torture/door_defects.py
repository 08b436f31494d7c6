"""Seeded defects at the door and behind it: gateways' gate, health, boards, polls."""

from bench.torture.seeded import Defect

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
DRAWN = "tests/board/test_drawn.py"
QUIET = "tests/web/test_quiet.py"


def _door(name: str, first: str, file: str, old: str, new: str, *tests: str) -> Defect:
    tests = tests or (first.partition("::")[0],)
    return Defect(name, first, f"portal/{file}", old, new, tests)


_GATEWAYS = (
    _door(
        "gateways that hang take every thread",
        f"{GATE}::test_half_of_the_threads_at_most_wait_for_gateways",
        "payments/gateways/base.py",
        "    if not _slots.acquire(timeout=wait_seconds):",
        "    if False:",
        *GATEWAYS,
    ),
    _door(
        "as many calls as there are threads",
        f"{GATE}::test_half_of_the_threads_at_most_wait_for_gateways",
        "payments/gateways/base.py",
        "MAX_CALLS = 8\n",
        "MAX_CALLS = 16\n",
        *GATEWAYS,
    ),
    _door(
        "a slot is given back by a call that went well alone",
        f"{GATE}::test_a_call_that_fails_gives_its_slot_back",
        "payments/gateways/base.py",
        "        yield\n    finally:\n        _slots.release()\n",
        "        yield\n    except ValueError:\n        raise\n"
        "    else:\n        _slots.release()\n",
        *GATEWAYS,
    ),
    _door(
        "a commit waits no longer for a slot than the rest",
        f"{GATE}::test_a_commit_waits_longer_for_its_slot",
        "payments/gateways/base.py",
        "COMMIT_WAIT_SECONDS = 15.0",
        "COMMIT_WAIT_SECONDS = 2.0",
        *GATEWAYS,
    ),
    _door(
        "our key follows a redirect of Webpay's",
        f"{GATE}::test_no_redirect_takes_our_key_along[webpay]",
        "payments/gateways/webpay.py",
        "verb, allow_redirects=False, **kwargs",
        "verb, allow_redirects=True, **kwargs",
        *GATEWAYS,
    ),
    _door(
        "our token follows a redirect of Mercado Pago's",
        f"{GATE}::test_no_redirect_takes_our_key_along[mercadopago]",
        "payments/gateways/mercadopago.py",
        "self._base + path, allow_redirects=False, **kwargs",
        "self._base + path, allow_redirects=True, **kwargs",
        *GATEWAYS,
    ),
)

_BUFFER = (
    _door(
        "a slow body is waited for without an end",
        f"{BUFFERED}::test_a_slow_body_is_let_go_and_never_reaches_the_application",
        "buffer.py",
        "asyncio.timeout(BODY_SECONDS)",
        "asyncio.timeout(None)",
    ),
    _door(
        "an endless body is read to its end",
        f"{BUFFERED}::test_an_endless_body_without_a_length_ends_at_the_limit",
        "buffer.py",
        "                if len(found) > MAX_BODY_BYTES:\n                    break\n",
        "",
    ),
    _door(
        "what is told to be too long is read",
        f"{BUFFERED}::test_a_body_told_to_be_too_long_is_not_even_read",
        "buffer.py",
        "    if int(length) > MAX_BODY_BYTES:\n",
        "    if False:\n",
    ),
    _door(
        "any word is a length",
        f"{BUFFERED}::test_a_length_that_is_none_is_refused",
        "buffer.py",
        "    if not length.isascii() or not length.isdigit() or len(length) > 9:",
        "    if not length.isdigit():",
    ),
    _door(
        "an underscore passes for a proxy's hyphen",
        f"{BUFFERED}::test_headers_of_one_name_are_one_and_underscores_are_no_hyphens",
        "buffer.py",
        '        if "_" not in name:\n',
        "        if True:\n",
    ),
    _door(
        "a told length goes on beside the real one",
        f"{BUFFERED}::test_a_body_in_pieces_is_one_and_its_length_is_told",
        "buffer.py",
        '    made.pop("HTTP_TRANSFER_ENCODING", None)\n',
        "",
    ),
)

_HEALTH = (
    _door(
        "a database behind the program is well",
        f"{HEALTH}::test_database_behind_the_program_is_503[sqlite]",
        "worker/views.py",
        "        if not queries.migrations_in_place(session):",
        "        if False:",
    ),
    _door(
        "a database out of reach is a page of error",
        f"{HEALTH}::test_database_out_of_reach_is_503",
        "worker/views.py",
        "    except SQLAlchemyError as error:",
        "    except ZeroDivisionError as error:",
    ),
    _door(
        "a worker that stopped is well",
        f"{HEALTH}::test_worker_that_stopped_reads_degraded",
        "worker/rules.py",
        "return worker_age is None or worker_age >= STOPPED_WORKER_SECONDS",
        "return worker_age is None",
    ),
    _door(
        "mails that are stuck are well",
        f"{HEALTH}::test_mail_that_is_stuck_reads_degraded[sqlite]",
        "worker/rules.py",
        "return outbox_age is not None and outbox_age >= STUCK_OUTBOX_SECONDS",
        "return False",
    ),
    _door(
        "backups that have stopped are well",
        f"{HEALTH}::test_backups_that_stopped_read_degraded",
        "worker/rules.py",
        "    old = backups_expected and is_old_backup(backup_age)\n",
        "    old = False\n",
        HEALTH,
        "tests/worker/test_rules.py",
    ),
    _door(
        "figures without the token",
        f"{METRICS}::test_without_the_token_there_is_no_such_page",
        "worker/metrics_views.py",
        "    if not wanted or not hmac.compare_digest(",
        "    if False and (",
    ),
    _door(
        "figures though no token is set",
        f"{METRICS}::test_without_the_token_there_is_no_such_page",
        "worker/metrics_views.py",
        "    wanted = settings().metrics_token\n",
        '    wanted = settings().metrics_token or "x"\n',
    ),
    _door(
        "the age of the worker is not told",
        f"{METRICS}::test_figures_are_those_of_the_database[sqlite]",
        "worker/metrics_queries.py",
        '"Since the last sign of any worker.", pulse.worker_age\n',
        '"Since the last sign of any worker.", 0\n',
    ),
    _door(
        "the age of the outbox is not told",
        f"{METRICS}::test_figures_tell_the_outbox[sqlite]",
        "worker/metrics_queries.py",
        "            pulse.outbox_age,\n",
        "            None,\n",
    ),
    _door(
        "a mail put off on purpose is counted as due",
        f"{METRICS}::test_figures_tell_the_outbox[sqlite]",
        "worker/metrics_queries.py",
        '            OutboxRow.state == "pending", OutboxRow.next_at <= now\n',
        '            OutboxRow.state == "pending"\n',
    ),
    _door(
        "the owner is not told of a worker that stopped",
        f"{WATCH}::test_owner_is_mailed_once_of_a_worker_that_stopped[sqlite]",
        "worker/rules.py",
        "return beat is None or (now - beat).total_seconds() >= MUTE_SECONDS",
        "return beat is None",
        WATCH,
    ),
    _door(
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
    _door(
        "a demo over the real orders",
        f"{CONFIG}::test_demo_refuses_the_database_of_production",
        "config.py",
        "shown in _lines(settings.state_dir / PRODUCTION_MARK)",
        "False",
    ),
    _door(
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
    return _door(name, first, file, f"@{line}\n", "")


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
    _door(
        "a household of IPv6 has addresses without an end",
        f"{GATES}::test_an_ipv6_household_is_one_address",
        "web.py",
        "        return str(IPv6Network((int(found) >> 64 << 64, 64)))\n",
        "        return str(found)\n",
    ),
    _door(
        "a stranger's word tells where a request comes from",
        f"{GATES}::test_forwarded_addresses_of_strangers_are_not_believed",
        "web.py",
        "    if proxies:\n",
        "    if proxies := proxies or 1:\n",
    ),
)

_DOOR = (
    _door(
        "any host is answered",
        f"{GATES}::test_only_our_own_host_is_answered",
        "composition.py",
        '        "TRUSTED_HOSTS": _trusted_hosts(settings),\n',
        "",
    ),
    _door(
        "a log-in leads to another site",
        f"{LOGIN}::test_log_in_leads_nowhere_else",
        "accounts/views.py",
        "    target = own_path(form.next.data) or person().home\n",
        "    target = form.next.data or person().home\n",
    ),
    _door(
        "two slashes are a path of ours",
        "tests/accounts/test_rules.py::test_next_never_leaves_the_site",
        "accounts/rules.py",
        ' or target.startswith("//"):',
        ":",
    ),
    _door(
        "scripts in a page run",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "script-src 'self'; style",
        "script-src 'self' 'unsafe-inline'; style",
    ),
    _door(
        "another site frames us",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "frame-ancestors 'none'; form",
        "form",
    ),
    _door(
        "forms of every page may leave us",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "_CSP.format(form_action=\"'self'\")",
        "_CSP.format(form_action=\"'self' https:\")",
    ),
    _door(
        "http is not closed",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        '        headers["Strict-Transport-Security"] = "max-age=63072000; '
        'includeSubDomains"\n',
        "        pass\n",
    ),
    _door(
        "a page of a customer is kept on the way",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        '    headers.setdefault("Cache-Control", "no-store")\n',
        "",
    ),
    _door(
        "the secret link is told to the next site",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        '    headers["Referrer-Policy"] = "no-referrer"\n',
        "",
    ),
    _door(
        "a session's cookie goes by http",
        f"{GATES}::test_cookies_are_of_this_host_alone",
        "composition.py",
        '        "SESSION_COOKIE_SECURE": secure,\n',
        "",
    ),
    _door(
        "a form without its token is taken",
        f"{GATES}::test_every_answer_carries_the_headers",
        "web.py",
        "    csrf.init_app(app)\n",
        '    csrf.init_app(app)\n    app.config["WTF_CSRF_CHECK_DEFAULT"] = False\n',
    ),
    _door(
        "JSON passes for a form",
        f"{GATES}::test_json_is_never_read",
        "inputs.py",
        "            return False\n",
        "            return super().is_json\n",
    ),
    _door(
        "a file passes for a field",
        f"{GATES}::test_a_file_in_place_of_a_field_is_no_field",
        "inputs.py",
        "            return ImmutableMultiDict()\n",
        '            return self.__dict__.get("files") or super().files\n',
    ),
    _door(
        "a part without a name breaks the form",
        f"{GATES}::test_a_part_without_a_name_is_no_field",
        "inputs.py",
        "            if None in form:",
        "            if False:",
    ),
    _door(
        "a NUL in an address reaches the database",
        f"{GATES}::test_a_nul_in_an_address_reaches_no_database[postgresql]",
        "web.py",
        "    app.wsgi_app = inputs.without_nul(app.wsgi_app)"
        "  # type: ignore[method-assign]\n",
        "",
    ),
    _door(
        "control characters come in",
        "tests/test_text.py::test_control_characters_and_lone_surrogates_are_refused",
        "text.py",
        '    return unicodedata.category(char) not in ("Cc", "Cs")',
        '    return unicodedata.category(char) not in ("Cs",)',
    ),
    _door(
        "a text has no length",
        "tests/test_text.py::test_length_is_counted_after_cleaning",
        "text.py",
        "    if len(text) > limit:\n",
        "    if False:\n",
    ),
    _door(
        "an error of the database quotes the row",
        f"{GATES}::test_what_a_row_holds_is_in_no_error_of_the_database[postgresql]",
        "db.py",
        '    event.listen(engine, "handle_error", _keep_values_out)\n',
        "",
    ),
    _door(
        "the secret address is logged",
        f"{GATES}::test_an_exception_is_logged_without_the_address_asked_for",
        "web.py",
        '"exception in %s [%s]", request.endpoint, request.method',
        '"exception in %s [%s]", request.path, request.method',
    ),
)

_BOARDS = (
    _door(
        "a drawing of another process is believed",
        f"{DRAWN}::test_two_processes_name_no_drawing_alike",
        "board/card_views.py",
        "        self._name = secrets.token_hex(4)\n",
        '        self._name = ""\n',
    ),
    _door(
        "cards that are not shown are left out",
        f"{DRAWN}::test_a_screen_that_is_sent_what_changed_shows_what_a_new_one_would",
        "board/card_views.py",
        "        if self._before.get(card.id) is drawn:",
        "        if card.id in self._before:",
    ),
    _door(
        "an unknown drawing is an error",
        f"{DRAWN}::test_a_board_that_is_not_known_here_is_sent_whole",
        "board/card_views.py",
        "        return self._drawings.get(name, {})",
        "        return self._drawings[name] if name else {}",
    ),
    _door(
        "drawings pile up",
        f"{DRAWN}::test_a_board_that_is_not_known_here_is_sent_whole",
        "board/card_views.py",
        "        while len(self._drawings) >= MOST_DRAWINGS:\n",
        "        while False:\n",
    ),
    _door(
        "a drawing outlives what it was drawn from",
        f"{DRAWN}::test_the_gallery_keeps_few_and_not_for_long",
        "board/card_views.py",
        "            self._drawings = {}\n",
        "",
    ),
    _door(
        "one draws with another's form token",
        f"{DRAWN}::test_a_card_drawn_for_one_carries_the_others_own_token",
        "board/card_views.py",
        "        bare = html.replace(token, _TOKEN)\n",
        "        bare = html\n",
    ),
    _door(
        "who may not act sees who may",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "                desk.person is not None,\n",
        "",
    ),
    _door(
        "cards pile up",
        f"{DRAWN}::test_the_gallery_keeps_few_and_not_for_long",
        "board/card_views.py",
        "            if len(self._kept) >= MOST:\n",
        "            if False:\n",
    ),
    _door(
        "what went wrong is not told on the card",
        "tests/board/test_acts.py::"
        "test_late_act_answers_409_with_the_card_and_who_did_what",
        "board/card_views.py",
        "        if slip is None:\n            return",
        "        if True:\n            return",
        DRAWN,
        "tests/board/test_acts.py",
    ),
    _door(
        "a view outlives its rows",
        f"{DRAWN}::test_screens_of_one_person_share_a_view_until_a_row_or_a_clock_changes_it",
        "board/card_views.py",
        "        return found if found and found.holds(rows, now) else None",
        "        return found",
    ),
    _door(
        "a view outlives its clocks",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "edge_of_clocks(rows.cards, now)",
        "edge_of_undoing(rows.cards, None, now)",
    ),
    _door(
        "an undo that is over ends no view",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "min(common.until, undoing)",
        "common.until",
    ),
    _door(
        "what all share outlives its rows",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "found is None or not found.holds(rows, now)",
        "found is None",
    ),
    _door(
        "who may undo shows it to all",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "rules.standing_of(card, self.now, person), drafts)",
        "drafts)",
    ),
    _door(
        "what one typed is shown to all",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "person), drafts)",
        "person))",
    ),
    _door(
        "one sees another's view",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "        self._views[who] = view\n",
        "        self._views = dict.fromkeys([who, *self._views], view)\n",
    ),
    _door(
        "a code is read on a wall",
        f"{DRAWN}::test_no_code_is_read_on_a_wall",
        "board/card_views.py",
        "extra.sealed if desk.person else None",
        "extra.sealed",
        DRAWN,
        "tests/board/test_screens.py",
    ),
)

_QUIET = (
    _door(
        "a commit ends no answer",
        f"{QUIET}::test_any_commit_ends_it_at_once",
        "quiet.py",
        "        if known.stamp == stamp:\n            return True\n",
        "        if True:\n            return True\n",
    ),
    _door(
        "one is given what another was answered",
        f"{QUIET}::test_nobody_is_given_what_another_was_answered",
        "quiet.py",
        '"HTTP_HOST", "HTTP_COOKIE")',
        '"HTTP_HOST")',
    ),
    _door(
        "time ends no answer",
        f"{QUIET}::test_the_instant_of_the_version_ends_it_and_so_does_a_minute",
        "quiet.py",
        "        if not known.since <= now < known.until:\n            return False\n",
        "",
    ),
    _door(
        "what no row tells is believed for ever",
        f"{QUIET}::test_the_instant_of_the_version_ends_it_and_so_does_a_minute",
        "quiet.py",
        "            until = min(until, now + LONGEST)\n",
        "",
    ),
    _door(
        "a commit during a reading is missed",
        f"{QUIET}::test_a_commit_while_the_rows_are_read_is_seen_by_the_next_poll",
        "quiet.py",
        "            stamp = self._commits.stamp()\n"
        "            if stamp is None or stamp != self._last[0]:\n"
        "                try:\n"
        "                    self._last = stamp, self._read(list(names()))\n",
        "            stamp = self._commits.stamp()\n"
        "            if stamp is None or stamp != self._last[0]:\n"
        "                try:\n"
        "                    found = self._read(list(names()))\n"
        "                    self._last = self._commits.stamp(), found\n",
    ),
    _door(
        "a commit during an answer is missed",
        f"{QUIET}::test_a_commit_while_a_poll_is_answered_is_seen_by_the_next_one",
        "quiet.py",
        "        until = environ.get(HOLDS_UNTIL)\n",
        "        stamp = self._commits.stamp()\n"
        "        until = environ.get(HOLDS_UNTIL)\n",
    ),
    _door(
        "other rows pass for those that an answer rests on",
        f"{QUIET}::test_after_anothers_commit_one_reading_serves_all_customers",
        "quiet.py",
        "        if told_at is None or found.get(name) != before:\n",
        "        if told_at is None:\n",
    ),
    _door(
        "an old reading answers at once",
        f"{QUIET}::test_memory_alone_answers_only_what_a_reading_has_shown_to_hold",
        "quiet.py",
        "        return found if told_at == stamp else {}\n",
        "        return found\n",
    ),
    _door(
        "a cookie is given to who asks next",
        f"{QUIET}::test_an_answer_with_a_cookie_is_never_given_again",
        "quiet.py",
        '        if "set-cookie" in names:\n            return\n',
        "",
    ),
    _door(
        "answers pile up",
        f"{QUIET}::test_too_many_screens_are_forgotten_and_asked_anew",
        "quiet.py",
        "        if len(self._known) >= MOST:\n",
        "        if False:\n",
    ),
    _door(
        "PostgreSQL tells of no commit and is believed",
        f"{QUIET}::test_what_cannot_tell_of_commits_takes_nothing_for_unchanged[postgresql]",
        "quiet.py",
        "        if not self._path:\n            return None\n",
        "        if not self._path:\n            return 0\n",
    ),
)


DOOR = (
    *(*_GATEWAYS, *_BUFFER, *_HEALTH, *_CONFIGURATION),
    *(*_THROTTLES, *_DOOR, *_BOARDS, *_QUIET),
)
