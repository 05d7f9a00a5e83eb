"""A preview as a page of one file: messages as wide as in a mail program and on a phone.

Messages stand in frames of their own, in which no script runs; the page's switch between light and
dark is theirs, too.
"""

from html import escape

from orchestration.campaigns.content.rendering import Message
from orchestration.campaigns.preview import Preview, Shown
from orchestration.campaigns.show_preview import notes_of

_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#1d2733,#e3e8ee);--dim:light-dark(#5b6b7c,#9aa9b8);
--line:light-dark(#d5dde5,#39434e);--paper:light-dark(#fff,#15191e);--more:light-dark(#2f6fc9,#6aa5f2);
--card:light-dark(#fff,#252b32);--error:light-dark(#b3261e,#ff8a80);--warning:light-dark(#8a5a00,#e8b45a)}
:root:has(#light:checked){color-scheme:light}:root:has(#dark:checked){color-scheme:dark}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:1.5rem auto;
max-width:74rem;padding:0 1rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2.2rem 0 .4rem}p{margin:.2rem 0}.dim{color:var(--dim);font-size:.9em}
.error{color:var(--error)}.warning{color:var(--warning)}
fieldset{border:0;padding:0;margin:1rem 0 0;display:flex;gap:1.2rem}
.head{margin:.5rem 0 .8rem}.head b{font-weight:500;color:var(--dim);display:inline-block;width:5rem}
.frames{display:flex;gap:1.5rem;align-items:flex-start;overflow-x:auto;padding-bottom:.5rem}
figure{margin:0;flex:none}figcaption{color:var(--dim);font-size:.85em;margin-bottom:.3rem}
iframe{border:1px solid var(--line);border-radius:6px;height:36rem;background:Canvas;display:block}
.mail iframe{width:680px}.phone iframe{width:375px;border-radius:18px}
.card{width:375px;border:1px solid var(--line);border-radius:14px;background:var(--card);
padding:.8rem 1rem;white-space:pre-line;overflow-wrap:anywhere}.card b{display:block}
.sms{border-radius:18px 18px 18px 4px}
"""
# Each frame is as high as what it shows; without scripts it scrolls.
_SCRIPT = """
const fit=f=>{f.style.height='0';f.style.height=f.contentDocument.body.scrollHeight+2+'px'};
addEventListener('load',()=>document.querySelectorAll('iframe').forEach(fit));
"""
_SWITCH = "".join(
    f'<label><input type="radio" name="scheme" id="{name}"{checked}> {name}</label>'
    for name, checked in (("system", " checked"), ("light", ""), ("dark", ""))
)


def preview_page(shown: Preview) -> str:
    """A preview as a page."""
    campaign = shown.campaign
    title = f"{campaign.name}, {campaign.campaign.channel}"
    about = [*shown.about, f"As of {shown.as_of:%Y-%m-%d %H:%M} UTC. Version {campaign.version}."]
    parts = [_dim(campaign.campaign.description), *(_dim(words) for words in about)]
    parts += [_section(one, campaign.campaign.channel) for one in shown.shown]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1>{''.join(parts[: -len(shown.shown)])}"
        f"<fieldset>{_SWITCH}</fieldset>{''.join(parts[-len(shown.shown) :])}"
        f"<script>{_SCRIPT}</script></html>\n"
    )


def _dim(words: str) -> str:
    return f'<p class="dim">{escape(words)}</p>'


def _section(one: Shown, channel: str) -> str:
    head = f"<h2>{escape(one.title)}</h2>{_dim(f'Template {one.template}')}"
    if one.message is None:
        return f'{head}<p class="error">Would not be sent: {escape(one.problem)}</p>'
    notes = "".join(
        f'<p class="{"warning" if "stood in" in words else "dim"}">{escape(words)}</p>'
        for words in notes_of(one.message, channel)
    )
    shown = _mail(one.message) if channel == "email" else _card(one.message, channel)
    return head + notes + shown


def _mail(message: Message) -> str:
    heads = (("Subject", message.subject), ("Preview", message.preview))
    lines = "".join(f"<p><b>{name}</b>{escape(words or '')}</p>" for name, words in heads)
    frames = "".join(
        f'<figure class="{kind}"><figcaption>{told}</figcaption>'
        f'<iframe sandbox="allow-same-origin" title="{told}" srcdoc="{escape(message.body)}">'
        "</iframe></figure>"
        for kind, told in (("mail", "680 px, a mail program"), ("phone", "375 px, a phone"))
    )
    return f'<div class="head">{lines}</div><div class="frames">{frames}</div>'


def _card(message: Message, channel: str) -> str:
    title = f"<b>{escape(message.subject)}</b>" if message.subject else ""
    return (
        f'<div class="frames"><div class="card {channel}">{title}{escape(message.body)}</div></div>'
    )
