# SPDX-License-Identifier: Apache-2.0
"""What spec/seal.md grants, in its own words: (quote, what makes use of it).

A tuple names mutants of uses.py; a text says why the words grant no reading of a file. granted.py
fails when a word of WORDS stands in the spec outside of these quotes, so that nothing is granted unseen.
Where a mutant is told as altered or indeterminate, the spec takes back elsewhere what it grants here.
"""
import re

WORDS = re.compile(r"\b(ignored|ignores|left out|leaves? out|any|anything|may|unless|except|exceptions?|whatever|"
                   r"whichever|not covered|skipped|skip|passed over|set aside|optional|unchanged|allowed|need not|"
                   r"accepted|regardless|disregarded|tolerated)\b", re.IGNORECASE)

ALL = "demands more, not less"
TRUST = "whom to believe, no reading: tests/trust/trust_file_test.cpp, revocation_test.cpp, tests/reference/trust_cases.py"
STORE = "what a store is asked, no reading: tests/seal/verifier_test.cpp"
LIMITS = "what a budget ends is never authentic: tests/attack/scenes.py j2k_bomb, tests/seal/cost_test.cpp"
NAMES = "names things"
WHY = "tells why, and grants nothing"
PADDED = tuple("text-padded-by-" + pad for pad in ("spaces", "nuls", "space-and-nul", "nul-and-space"))
SYNTAXES = ("syntax-implicit", "syntax-deflated", "syntax-big-endian", "syntax-rle", "syntax-jpeg-ls",
            "syntax-jpeg-2000", "syntax-lossless-jpeg")
SEGMENTS = tuple(f"{kind}-in-{codec}" for kind in ("comment", "application-data", "icc-profile", "exif")
                 for codec in ("lossless", "jpeg-ls", "jpeg") if (kind, codec) != ("exif", "jpeg-ls"))

GRANTED = [
    # 1. What is sealed
    ("for each attribute that is no sequence, at any depth,", ALL),
    ("standard or private, except the short list of 5.4.", "the list is 5.4's, below"),
    ("so that whatever a PACS may do without loss", SYNTAXES),
    ("**What is not covered** (may be altered without a finding, in the one form that section 14 asks for)",
     ("preamble", "meta-values", "zeros-behind", "one-zero-behind", "pad-byte-of-pixels", "pad-bits-of-pixels",
      "order", "order-in-item", "block-number", "block-numbers-exchanged", "undefined-lengths",
      "undefined-lengths-of-private")),
    # 2. Reading the data set
    ("in items of sequences, at any depth. A verifier shall", ALL),
    ("So is that of two bytes that are not both capital letters, except in the first element of the top level:",
     "kind 5 of 14: never authentic"),
    ("whichever first fits with what follows the value:", "kind 5 of 14: never authentic"),
    ("else whichever first has a greater tag behind it.", "kind 5 of 14: never authentic"),
    ("(one of a sequence may be the last 8 bytes of the value: GDCM keeps it there)", ("un-with-delimiter",)),
    ("are padding (of any length).", ("many-zeros-behind",)),
    ("meta elements may stand first.", ("meta-in-a-bare-data-set",)),
    ("The length of a delimitation item is ignored (and nothing skipped)", ("delimiter-length",)),
    ("in an item or a sequence of defined length it is passed over", ("delimiter-in-defined-length",)),
    ("an item of encapsulated data may have odd length", ("odd-fragment",)),
    # 5. Header
    ("any other element of an odd group `creator`", NAMES),
    ("*read as LO* whatever its VR", ("creator-under-sh", "creator-under-un")),
    ("(0029,1010) of a creator at (0029,0010) may become (0029,1110)", ("block-number",)),
    ("A zero-length value is kind 00 whatever the VR", ("empty-under-another-vr",)),
    ("empty components may be left out (PS3.5 6.2.1.1)", ("empty-components",)),
    ("trailing: any mixture of both; leading: spaces only.", PADDED + ("leading-spaces",)),
    ("ISO_IR 13 as first term is the exception", "a byte that reads otherwise there; tests/dicom/character_set_test.cpp"),
    ("Anything else makes the set *unknown*:", ALL),
    ("(empty ones counted), or any `ISO 2022`.", NAMES),
    ("Any other ESC cannot be decoded.", ALL),
    ("Without any (0008,0005) the first is kind 03", NAMES),
    ("adding any term later changes", ALL),
    ("optional sign, digits with at most one point and at least one digit, optional `e` or `E`, optional sign, digits.",
     ("numbers-written-otherwise",)),
    ("(with `-` if negative, no `+`) unless it is 0.", "one form of a number"),
    ("If any value is no number,", ALL),
    ("### 5.4 What is left out No leaf, at any depth:",
     ("group-length", "group-length-in-item", "length-to-end", "signatures", "signatures-in-item", "padding-in-item",
      "planar-of-one-sample", "planes", "offset-table", "extended-offset-table", "total-length",
      "own-evidence-taken-out", "own-evidence-in-another-block", "own-evidence-under-un")),
    ("(FFFC,FFFC) Data Set Trailing Padding, unless it is a sequence;", ("padding",)),
    ("and the element with low byte 01 of its block, unless it is a sequence:", ALL),
    ("is no legitimate encoding and may show another reader something else: it has a leaf like any attribute,", ALL),
    ("it changes the text (unless the text is ASCII);", ("character-set-of-ascii", "text-in-utf8")),
    ("the change shall be allowed:",
     ("private-under-un", "private-un-under-a-vr", "ow-for-ob", "us-for-ss", "private-number-without-sign")),
    ("whoever converts later may write any VR.", ("private-un-under-a-vr",)),
    # 6. Pixels
    ("Number of Frames is digits, a `+` and padding around them allowed,",
     ("frames-written-otherwise", "frames-padded")),
    ("RLE is planar whatever it says", ("planar-of-rle",)),
    ("If any byte of a tile's outside is not 0,", ALL),
    ("and the outside in place of the samples, whatever the encoding.", ("outside-bits-kept",)),
    ("others may lose it, but not add or change it (10.2).", ("outside-bits-lost",)),
    # 7. Encoded frames
    ("The encoded frame is the fragments of the frame joined, empty ones left out.",
     ("empty-fragments", "fragments-of-lossless", "fragments-of-jpeg-ls", "fragments-of-j2k")),
    ("from the end, skip bytes that are 00 or FF;",
     tuple(f"{what}-behind-{codec}" for what in ("zeros", "ff") for codec in ("lossless", "jpeg-ls", "j2k"))),
    ("and set aside: the fragments are divided as without tables.", ("wrong-offset-table",)),
    ("that frame's samples need not be decoded.", "the codestream is as sealed, and so is what it decodes to"),
    ("the statement lists those that any frame,", ALL),
    ("| skipped by most (PS3.5 G.3.2);", "an alarm; tests/attack/cases.py rle_control_128"),
    ("anything before the codestream; behind its end anything but one byte, or bytes 00 and FF only.",
     ("byte-behind-lossless", "byte-behind-jpeg-ls", "byte-behind-j2k")),
    ("unless it is unsigned, Pixel Representation is 1 and its precision is Bits Allocated", ("jpeg-2000-unsigned",)),
    ("in all bits above its Bits Stored, where there are any", NAMES),
    ("is never authentic, whatever becomes of it.", ALL),
    ("comments, application data, restart markers, progressive streams under .50 and .51, any predictor of lossless JPEG,",
     SEGMENTS + ("comment-in-j2k", "progressive-named-baseline", "jpeg-2000-transform") +
     tuple(f"predictor-{n}" for n in range(1, 8))),
    # 8 and 9. Statement and trust
    ("(*low s*), both written and accepted:", TRUST),
    ("Certificates may have either. Accepted: -7,", TRUST),
    ("or (unless dated by `log`)", TRUST),
    ("(which need not be self-signed)", TRUST),
    ("Accepted: all of this without an alarm.", TRUST),
    # 10. Verification
    ("counts as unchanged (note `encoding.changed`) if it was absent or empty when sealed, or (0028,2110) was `00`,",
     "what is true of a loss: tests/seal/loss_record_test.cpp; tests/attack/cases.py lossy_flag"),
    ("without the Basic Offset Table item. Anything else alarms:", ALL),
    ("*Tolerated differences.*", "the trust file asks for it: tests/trust/tolerance_test.cpp"),
    ("is the finding `tolerated` instead,", "the trust file asks for it: tests/trust/tolerance_test.cpp"),
    ("Never, whatever the trust file says:", ALL),
    ("counts as unchanged: image converters drop it, others add it.", ("one-frame-said",)),
    ("the attribute counts as unchanged (note `encoding.changed`). Any other text alarms", ("remark-of-the-compressor",)),
    ("(the first of each tag) count as unchanged, note `overlay.moved`.",
     "tests/e2e/codestreams.py moves overlays, rightly and wrongly"),
    ("One that was not sealed: `pixels.altered`, unless the encoding does not carry all bits",
     "kind 63 of 7.1 alarms where it is seen: tests/seal/pixels_test.cpp"),
    ("under whatever transfer syntax, but the file term", ALL),
    ("no image any more (6.1):", NAMES),
    ("tables or signature invalid, or anything differs: **altered**. Not accepted (9): **untrusted**. Anything undecidable,",
     ALL),
    ("leaves open whether it loses anything)", "never authentic: tests/attack/cases.py lossy_ct"),
    ("an attacker may well alter first and compress then.", WHY),
    ("the result is the same on any machine and in any year (10.7).", ALL),
    ("altered by an accepted signer; other by an accepted signer;", TRUST),
    ("A stranger's valid seal beside an accepted one is a note.", TRUST),
    ("If the store holds another accepted seal", STORE),
    ("or none whose signer is accepted, the store may propose objects", STORE),
    ("only candidates with an accepted seal count.", STORE),
    ("an image with an accepted seal, another one than those judged,", STORE),
    ("What may differ: a later edition of the trust file", TRUST),
    ("(findings and members may be added).", NAMES),
    ("and another verifier may go on);", LIMITS),
    ("Paths of one header may have 8 MiB and 8 bytes for each byte", LIMITS),
    ("What a verifier must hold to, whatever it counts:", ALL),
    ("for those that are accepted, in their order;", LIMITS),
    ("nor large ones keep an accepted seal from being judged.", LIMITS),
    ("When evidence was left out, or the budget ended,", LIMITS),
    ("what was left out could not take the proof away.", LIMITS),
    # 11 and 12. Decisions and gaps
    ("may be shown as FL 1.0 or UL 1065353216", ("private-un-under-a-vr",)),
    ("bytes that somebody put there may be shown by somebody", WHY),
    ("| old DICOM signatures | left out |", ("signatures",)),
    ("The contents of what 5.4 leaves out in its one form", ("padding", "signatures", "group-length")),
    ("unless the ledger's key is revoked as well", TRUST),
    # 14. One reading
    ("so it is where the statement lists any and the file has none any more:", ALL),
    ("in another encoding as well, without anything odd:", ALL),
    ("by these two bytes, whatever is named", WHY),
    ("unless it is *recent*: unknown to DCMTK 3.6.7 and to pydicom 2.3.1", ("recent-under-un",)),
    ("DCMTK ignores `INVERSE` in 7 bytes", WHY),
    ("padding OB (of any content, which every reader passes over", ("padding",)),
    ("whose items hold, at any depth, group 0400,", ("signatures",)),
    ("the element is skipped, or reading ends", WHY),
    ("in a CS any NUL", ALL),
    ("it is skipped, or its length is", ("delimiter-length",)),
    ("but for one zero, itself behind nothing or behind the CRC-32", ("one-zero-behind-deflated", "gzip-trailer")),
    ("*What may stay as it is*: private attributes under UN or any VR", ("private-under-un", "private-under-another-vr")),
    ("files without preamble or meta information.", ("without-preamble",)),
    # Grants without a word for it
    ("Encapsulated Pixel Data in an item has a **native value**", ("icon-encoded",)),
]
