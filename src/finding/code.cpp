// SPDX-License-Identifier: Apache-2.0
#include "finding/code.h"

#include <algorithm>
#include <array>

namespace fiducia::finding {
namespace {

constexpr std::array code_table{
    // What was sealed and what is there.
    CodeEntry{"pixels.altered", "Pixels differ from those that were sealed.",
              "Do not use this image for diagnosis; fetch it again from the device or archive that "
              "sealed it, and compare."},
    CodeEntry{"pixels.missing", "Pixels or frames that were sealed are not in the file.",
              "Fetch the complete file from its source; an incomplete image must not be read as "
              "a complete one."},
    CodeEntry{"pixels.added", "The file holds pixels or frames that were not sealed.",
              "Do not trust the added frames; fetch the file again from its source."},
    CodeEntry{"pixels.of-other", "The pixels are those of another sealed image.",
              "Compare with the image that is named: pixels or identity were exchanged; fetch both "
              "again from their source."},
    CodeEntry{"attribute.altered", "An attribute has another value than the sealed one.",
              "Find out which system changed it, and compare with the source of the image."},
    CodeEntry{"attribute.added", "The file holds an attribute that was not there at sealing.",
              "Find out which system added it, and compare with the source of the image."},
    CodeEntry{"attribute.removed", "An attribute that was sealed is not in the file.",
              "Find out which system removed it, and fetch the image again from its source."},
    CodeEntry{"item.added", "A sequence holds an item that was not there at sealing.",
              "Find out which system added it, or fetch the file again from its source."},
    CodeEntry{"item.removed", "An item of a sequence that was sealed is not in the file.",
              "Find out which system removed it, or fetch the file again from its source."},

    // The seal.
    CodeEntry{"seal.stripped",
              "The file carries no seal, yet the evidence store knows this image as a sealed one.",
              "Find out which system removed the seal; the findings beside this one say whether "
              "anything else changed."},
    CodeEntry{"unsealed", "No seal was found: not in the file, beside it, in the store, or given.",
              "If it should have one, ask its source for the sealed file or for its evidence."},
    CodeEntry{"seal.expected",
              "No seal was found, although the file names a device that seals every image.",
              "Treat the image as unproven; ask the device's operator for the sealed original."},
    CodeEntry{"seal.invalid", "The seal does not hold: it is damaged, forged, or of another image.",
              "Do not rely on this seal; fetch the file or its evidence again from its source."},
    CodeEntry{"seal.later", "The seal is dated after the moment that was asked for.",
              "Ask for a later moment (`--at`), or for none, to have this seal counted."},
    CodeEntry{"time.disagrees",
              "The clocks of the device, of the ledger and of those who attest the date are far "
              "apart.",
              "Check the clock of the sealing device, and of the ledger where it is named; the "
              "attested date counts."},
    CodeEntry{"identity.conflict",
              "The same identity (SOP Instance UID) was sealed with other content.",
              "Compare both images; one of them carries an identity that is not its own."},
    CodeEntry{"similar.sealed",
              "Part of the picture is found in a sealed image, but too little to call it that "
              "image.",
              "Compare with the sealed image that is named; this may be a crop, a montage or a "
              "coincidence."},

    // Whom to believe.
    CodeEntry{"signer.untrusted", "The signer is not one that the trust file names for this role.",
              "If the signer is one of yours, add its authority to the trust file; if not, do not "
              "rely on the seal."},
    CodeEntry{"signer.revoked", "The signer was revoked at the time of the seal or before.",
              "Do not rely on the seal; ask the hospital that revoked the device what happened."},
    CodeEntry{"signer.expired", "The signer's certificate was not valid at the time of the seal.",
              "Check the clock of the sealing device and renew its certificate; do not rely on "
              "this seal until that is explained."},
    CodeEntry{"ledger.missing", "No proof shows that the seal was entered in a trusted ledger.",
              "Ask whoever sealed the image for evidence with a receipt (`fiducia export`)."},
    CodeEntry{"ledger.invalid", "The proof that the seal is in the ledger does not hold.",
              "Fetch fresh evidence (`fiducia export`); if it fails again, have the ledger checked "
              "(`fiducia ledger check`)."},
    CodeEntry{
        "ledger.revoked",
        "The ledger's key was revoked, and nobody else attests that the seal is older.",
        "Ask for evidence with a receipt under a checkpoint that the trust file pins, or with "
        "time-stamps; do not rely on the seal without."},
    CodeEntry{"store.damaged", "The evidence store is damaged; that says nothing of the image.",
              "Run `fiducia store check`, and restore the store from a copy."},
    CodeEntry{"ledger.unwitnessed",
              "Fewer witnesses have cosigned the ledger than the trust file asks for.",
              "Fetch fresh evidence once the witnesses have cosigned, or ask why they have not."},

    CodeEntry{
        "ledger.unstamped",
        "Fewer time-stamp authorities have stamped the ledger's checkpoint than the trust "
        "file asks for.",
        "Ask whoever sealed the image for evidence with time-stamps; without them nothing but "
        "the ledger's clock says when it was sealed."},

    // What is allowed, and what cannot be decided.
    CodeEntry{"encoding.changed",
              "The file was re-encoded without loss since it was sealed; its content is the same.",
              "Nothing needs to be done."},
    CodeEntry{"tolerated", "An attribute differs in a way that the trust file takes as harmless.",
              "Nothing needs to be done, unless the rule that is named should not be in your trust "
              "file."},
    CodeEntry{"overlay.moved",
              "An overlay that lay in unused bits of the samples is a plane of its own now, and "
              "shows the same.",
              "Nothing needs to be done."},
    CodeEntry{"lossy.recompressed",
              "The file was compressed with loss since it was sealed, so its pixels cannot be "
              "compared exactly.",
              "Ask for the image in the encoding in which it was sealed, or in a lossless one."},
    CodeEntry{"reading.ambiguous",
              "Common programs take this file differently, and may show other pictures or values.",
              "Compare what your viewer shows with the source; have the file written again in a "
              "plain form, and sealed so."},
    CodeEntry{"preamble.executable",
              "The file begins like a program, a page or a picture of another kind.",
              "Do not open the file with anything but DICOM software; ask its source why it begins "
              "so."},
    CodeEntry{"preamble.tiff",
              "The file can be opened as a TIFF image as well, which DICOM allows.",
              "Nothing needs to be done; what a TIFF viewer shows is not what was sealed."},
    CodeEntry{"offset-table.wrong",
              "The table that says where frames begin does not fit the frames.",
              "Have the file written again without the table, or with a right one."},
    CodeEntry{"bytes.only",
              "The encoded frames are sealed by their bytes, as no decoder could read them here.",
              "Keep the image in the encoding in which it was sealed; in another one it cannot be "
              "verified."},
    CodeEntry{
        "sketch.weak",
        "The picture has less than two tiles of 64 x 64 pixels with a texture, so an altered "
        "copy without seal and under another identity cannot be traced back to it.",
        "Keep the sealed copies; seal in the file (`--in-place` or `--out`), and have devices "
        "that seal everything named in the trust file."},
    CodeEntry{"decoder.differs",
              "The image was decompressed from a lossy codestream by another decoder, or altered; "
              "that cannot be told apart.",
              "Ask for the image in the encoding in which it was sealed."},
    CodeEntry{"withheld", "The evidence keeps some parts back, so they cannot be checked.",
              "Ask for complete evidence, if you may see it."},
    CodeEntry{
        "codec.missing", "No decoder for this encoding is installed here.",
        "Install the program fiducia-codec beside fiducia, or convert the file without loss to "
        "an uncompressed transfer syntax."},
    CodeEntry{"codec.failed", "The decoder could not decode a frame.",
              "Fetch the file again; if it fails again, the frame is damaged or needs another "
              "decoder."},
    CodeEntry{"limit.reached", "The file is larger or deeper than the limits that apply here.",
              "Split the file, or verify it on a machine with higher limits."},
    CodeEntry{"findings.more", "There are more findings than are listed.",
              "Deal with the listed ones first; the verdict takes all of them into account."},

    // What cannot be read.
    CodeEntry{"malformed.truncated", "The file ends before something that it announces.",
              "Fetch the file again from its source; the transfer was cut short."},
    CodeEntry{"malformed.nesting", "Sequences are nested deeper than any honest writer nests them.",
              "Treat the file as hostile, and do not open it with other software."},
    CodeEntry{"malformed.inflate_ratio", "The compressed data set expands beyond all reason.",
              "Treat the file as hostile, and do not open it with other software."},
    CodeEntry{"malformed.image_pixel",
              "The attributes that describe the pixels are missing or contradict each other.",
              "Fetch the file again from its source, or have the system that wrote it repaired."},
    CodeEntry{"malformed.pixel_data", "The pixel data do not divide into the frames announced.",
              "Fetch the file again from its source, or have the system that wrote it repaired."},
    CodeEntry{"malformed.transfer_syntax",
              "The transfer syntax is none that this release can read.",
              "Have the file written in a transfer syntax of PS3.5, or use a later release."},
    CodeEntry{"malformed.<what>", "The bytes are not what the format allows.",
              "Fetch the file again from its source; if it stays so, treat it as damaged or "
              "hostile."},
    CodeEntry{"unsupported.<what>", "This is well formed, but not something this release can do.",
              "Use a later release, or convert the file to another transfer syntax."},

    // Errors: no verdict could be reached.
    CodeEntry{"io.unreadable", "A file or folder cannot be read.",
              "Check the path and its permissions.", false},
    CodeEntry{"io.unwritable", "A file or folder cannot be written.",
              "Make room, or give a path that can be written.", false},
    CodeEntry{"usage.invalid", "The command was called with arguments that do not fit.",
              "See the help of the sub-command (`--help`).", false},
    CodeEntry{"config.missing", "There is no home with keys and a trust file.",
              "Run `fiducia init`, or name a home with `--home`.", false},
    CodeEntry{"config.invalid", "A configuration or trust file cannot be understood.",
              "Fix the file at the line named.", false},
    CodeEntry{"signature.bad", "A signature or proof does not verify.",
              "Fetch it again from its source; do not rely on what it signs.", false},
    CodeEntry{"crypto.failed", "The cryptographic library refused its work.",
              "Check the installation of OpenSSL, and report it if that is sound.", false},
    CodeEntry{"busy", "Another process holds the lock.", "Try again in a moment.", false},
    CodeEntry{"clock.invalid",
              "The clock of this machine is behind a time that was signed already.",
              "Set the clock, then try again.", false},
    CodeEntry{"internal", "Fiducia broke one of its own rules.",
              "Report it with the command and the message; no verdict was given.", false},
};

constexpr CodeEntry later_release{
    "", "This code is newer than the release that made this page.",
    "Read the sentence of the finding, or look the code up in the documentation of a later "
    "release."};

const CodeEntry* find_exactly(std::string_view code) {
  const auto found = std::ranges::find(code_table, code, &CodeEntry::code);
  return found == code_table.end() ? nullptr : &*found;
}

}  // namespace

std::span<const CodeEntry> all_codes() { return code_table; }

const CodeEntry& explain_code(std::string_view code) {
  if (const CodeEntry* entry = find_exactly(code)) return *entry;
  if (code.starts_with("malformed.")) return *find_exactly("malformed.<what>");
  if (code.starts_with("unsupported.")) return *find_exactly("unsupported.<what>");
  return later_release;
}

}  // namespace fiducia::finding
