"""Seeded defects behind the door: boards that are drawn once, polls without news."""

from bench.torture.seeded import of_portal

DRAWN = "tests/board/test_drawn.py"
QUIET = "tests/web/test_quiet.py"

_BOARDS = (
    of_portal(
        "a drawing of another process is believed",
        f"{DRAWN}::test_two_processes_name_no_drawing_alike",
        "board/card_views.py",
        "        self._name = secrets.token_hex(4)\n",
        '        self._name = ""\n',
    ),
    of_portal(
        "cards that are not shown are left out",
        f"{DRAWN}::test_a_screen_that_is_sent_what_changed_shows_what_a_new_one_would",
        "board/card_views.py",
        "        if self._before.get(card.id) is drawn:",
        "        if card.id in self._before:",
    ),
    of_portal(
        "an unknown drawing is an error",
        f"{DRAWN}::test_a_board_that_is_not_known_here_is_sent_whole",
        "board/card_views.py",
        "        return self._drawings.get(name, {})",
        "        return self._drawings[name] if name else {}",
    ),
    of_portal(
        "drawings pile up",
        f"{DRAWN}::test_a_board_that_is_not_known_here_is_sent_whole",
        "board/card_views.py",
        "        while len(self._drawings) >= MOST_DRAWINGS:\n",
        "        while False:\n",
    ),
    of_portal(
        "a drawing outlives what it was drawn from",
        f"{DRAWN}::test_the_gallery_keeps_few_and_not_for_long",
        "board/card_views.py",
        "            self._drawings = {}\n",
        "",
    ),
    of_portal(
        "one draws with another's form token",
        f"{DRAWN}::test_a_card_drawn_for_one_carries_the_others_own_token",
        "board/card_views.py",
        "        bare = html.replace(token, _TOKEN)\n",
        "        bare = html\n",
    ),
    of_portal(
        "who may not act sees who may",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "                desk.person is not None,\n",
        "",
    ),
    of_portal(
        "cards pile up",
        f"{DRAWN}::test_the_gallery_keeps_few_and_not_for_long",
        "board/card_views.py",
        "            if len(self._kept) >= MOST:\n",
        "            if False:\n",
    ),
    of_portal(
        "what went wrong is not told on the card",
        "tests/board/test_acts.py::"
        "test_late_act_answers_409_with_the_card_and_who_did_what",
        "board/card_views.py",
        "        if slip is None:\n            return",
        "        if True:\n            return",
        DRAWN,
        "tests/board/test_acts.py",
    ),
    of_portal(
        "a view outlives its rows",
        f"{DRAWN}::test_screens_of_one_person_share_a_view_until_a_row_or_a_clock_changes_it",
        "board/card_views.py",
        "        return found if found and found.holds(rows, now) else None",
        "        return found",
    ),
    of_portal(
        "a view outlives its clocks",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "edge_of_clocks(rows.cards, now)",
        "edge_of_undoing(rows.cards, None, now)",
    ),
    of_portal(
        "an undo that is over ends no view",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "min(common.until, undoing)",
        "common.until",
    ),
    of_portal(
        "what all share outlives its rows",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "found is None or not found.holds(rows, now)",
        "found is None",
    ),
    of_portal(
        "who may undo shows it to all",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "rules.standing_of(card, self.now, person), drafts)",
        "drafts)",
    ),
    of_portal(
        "what one typed is shown to all",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "person), drafts)",
        "person))",
    ),
    of_portal(
        "one sees another's view",
        f"{DRAWN}::test_everybody_sees_from_the_gallery_what_the_template_draws",
        "board/card_views.py",
        "        self._views[who] = view\n",
        "        self._views = dict.fromkeys([who, *self._views], view)\n",
    ),
    of_portal(
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
    of_portal(
        "a commit ends no answer",
        f"{QUIET}::test_any_commit_ends_it_at_once",
        "quiet.py",
        "        if known.stamp == stamp:\n            return True\n",
        "        if True:\n            return True\n",
    ),
    of_portal(
        "one is given what another was answered",
        f"{QUIET}::test_nobody_is_given_what_another_was_answered",
        "quiet.py",
        '"HTTP_HOST", "HTTP_COOKIE")',
        '"HTTP_HOST")',
    ),
    of_portal(
        "time ends no answer",
        f"{QUIET}::test_the_instant_of_the_version_ends_it_and_so_does_a_minute",
        "quiet.py",
        "        if not known.since <= now < known.until:\n            return False\n",
        "",
    ),
    of_portal(
        "what no row tells is believed for ever",
        f"{QUIET}::test_the_instant_of_the_version_ends_it_and_so_does_a_minute",
        "quiet.py",
        "            until = min(until, now + LONGEST)\n",
        "",
    ),
    of_portal(
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
    of_portal(
        "a commit during an answer is missed",
        f"{QUIET}::test_a_commit_while_a_poll_is_answered_is_seen_by_the_next_one",
        "quiet.py",
        "        until = environ.get(HOLDS_UNTIL)\n",
        "        stamp = self._commits.stamp()\n"
        "        until = environ.get(HOLDS_UNTIL)\n",
    ),
    of_portal(
        "other rows pass for those that an answer rests on",
        f"{QUIET}::test_after_anothers_commit_one_reading_serves_all_customers",
        "quiet.py",
        "        if told_at is None or found.get(name) != before:\n",
        "        if told_at is None:\n",
    ),
    of_portal(
        "an old reading answers at once",
        f"{QUIET}::test_memory_alone_answers_only_what_a_reading_has_shown_to_hold",
        "quiet.py",
        "        return found if told_at == stamp else {}\n",
        "        return found\n",
    ),
    of_portal(
        "a cookie is given to who asks next",
        f"{QUIET}::test_an_answer_with_a_cookie_is_never_given_again",
        "quiet.py",
        '        if "set-cookie" in names:\n            return\n',
        "",
    ),
    of_portal(
        "answers pile up",
        f"{QUIET}::test_too_many_screens_are_forgotten_and_asked_anew",
        "quiet.py",
        "        if len(self._known) >= MOST:\n",
        "        if False:\n",
    ),
    of_portal(
        "PostgreSQL tells of no commit and is believed",
        f"{QUIET}::test_what_cannot_tell_of_commits_takes_nothing_for_unchanged[postgresql]",
        "quiet.py",
        "        if not self._path:\n            return None\n",
        "        if not self._path:\n            return 0\n",
    ),
)

BOARDS = (*_BOARDS, *_QUIET)
