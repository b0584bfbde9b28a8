"""The cases of the page in headless Chromium: order, kinds, zoom."""

import pytest
from page_driver import chosen, pixels, position, put, put_option


def test_the_worst_come_first_and_kinds_take_turns(opened):
  kinds = chosen(opened, "[r.runs[0].kind, r.true !== null]")
  assert [kind for kind, _ in kinds[:3]] == ["false alarm", "miss", "found"]
  assert [kind for kind, _ in kinds[3:6]] == ["false alarm", "miss", "found"]
  rows = chosen(opened, "[r.runs[0].kind, r.runs[0].score]")
  alarms = [score for kind, score in rows if kind == "false alarm"]
  assert alarms == sorted(alarms, reverse=True)
  misses = [score for kind, score in rows if kind == "miss"]
  assert misses == sorted(misses)
  rows = chosen(opened, "[r.runs[0].kind, r.runs[0].maps.mix.iou]")
  found = [iou for kind, iou in rows if kind == "found"]
  assert found == sorted(found)


def test_false_alarms_and_misses_are_listed(opened):
  put_option(opened, "#kind", "false alarms")
  assert position(opened) == "1 of 16"
  assert set(chosen(opened, "r.runs[0].kind")) == {"false alarm"}
  texts = opened.execute_script(
    "return [...document.querySelectorAll('#list .what')].map(s => "
    "s.textContent)"
  )
  assert len(texts) == 16
  assert all(" · false alarm 0." in text for text in texts)
  said = "return document.querySelector('.stage').textContent"
  text = opened.execute_script(said)
  assert "no true box" in text
  assert "sensitivity 0." in text
  assert "of 500), specificity 0." in text
  # The range of the map stands at the ends of its colour bar.
  low, high = opened.execute_script(
    "return [...document.querySelectorAll('.bar span')].slice(1)"
    ".map((s) => Number(s.textContent))"
  )
  assert 0 <= low < high < 1
  put_option(opened, "#kind", "misses")
  assert set(chosen(opened, "r.runs[0].kind")) == {"miss"}
  # Without a case nothing of the last one is left.
  opened.execute_script("state.rows = []; go(0)")
  pixels(opened)
  assert opened.execute_script(said).strip() == ""
  assert position(opened) == "no case"
  put_option(opened, "#kind", "all")


def test_what_is_drawn_is_named_below_the_film(opened):
  key = "return [...document.querySelectorAll('.bar')].map(b => b.textContent)"
  put_option(opened, "#kind", "with a true box")
  boxes = opened.execute_script(key)
  assert boxes[:2] == ["box of Mix", "true box"]
  assert boxes[2].startswith("map of Mix")
  put(opened, "#boxes [data-map=true]", False)
  put(opened, "#boxes [data-map=sal]", True)
  assert opened.execute_script(key)[:2] == ["box of Sal", "box of Mix"]
  put(opened, "#boxes [data-map=true]", True)
  put(opened, "#boxes [data-map=sal]", False)
  put_option(opened, "#kind", "all")


def test_a_finding_is_chosen_and_sorted(opened):
  put(opened, "#finding", "Mass")
  put_option(opened, "#kind", "with a true box")
  assert position(opened) == "1 of 500"
  put_option(opened, "#order", "Mix IoU, best first")
  best = chosen(opened, "r.runs[0].maps.mix.iou")
  assert best == sorted(best, reverse=True)
  put_option(opened, "#order", "score, lowest first")
  scores = chosen(opened, "r.runs[0].score")
  assert scores == sorted(scores)
  put_option(opened, "#kind", "all")
  put_option(opened, "#order", "Mix IoU, worst first")
  # Cases without an IoU come last.
  assert chosen(opened, "r.true === null")[-8:] == [True] * 8
  put_option(opened, "#order", "worst first")
  put(opened, "#finding", "")


def test_the_film_is_shown_larger(opened):
  sizes = """const frame = document.querySelector(".film");
    const canvas = frame.firstElementChild;
    return [frame.clientWidth, canvas.clientWidth, frame.scrollLeft,
            document.getElementById("zoom").textContent]"""
  frame, canvas, left, said = opened.execute_script(sizes)
  assert frame == canvas
  # The stored film has 64 pixels.
  assert said == f"{round(100 * canvas / 64)} %"
  opened.find_element("id", "in").click()
  opened.find_element("id", "in").click()
  pixels(opened)
  frame, canvas, left, said = opened.execute_script(sizes)
  assert canvas == 2 * frame
  # The middle stays in the middle.
  assert left == pytest.approx(frame / 2, abs=2)
  assert said == f"{round(100 * canvas / 64)} %"
  opened.execute_script("document.activeElement.blur()")
  opened.execute_script(
    "document.dispatchEvent(new KeyboardEvent('keydown', {key: '0'}))"
  )
  pixels(opened)
  frame, canvas, left, _ = opened.execute_script(sizes)
  assert (canvas, left) == (frame, 0)
  assert opened.execute_script("return document.getElementById('out').disabled")
