// SPDX-License-Identifier: Apache-2.0
#include "finding/code.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fiducia::finding {
namespace {

constexpr std::array code_table{
    // What was sealed and what is there.
    CodeEntry{Code::pixels_altered, "pixels.altered", Usual::alarm, About::pixels,
              "Pixels differ from those that were sealed.",
              "Do not use this image for diagnosis; fetch it again from the device or archive that "
              "sealed it, and compare."},
    CodeEntry{Code::pixels_missing, "pixels.missing", Usual::alarm, About::pixels,
              "Pixels or frames that were sealed are not in the file.",
              "Fetch the complete file from its source; an incomplete image must not be read as "
              "a complete one."},
    CodeEntry{Code::pixels_added, "pixels.added", Usual::alarm, About::pixels,
              "The file holds pixels or frames that were not sealed.",
              "Do not trust the added frames; fetch the file again from its source."},
    CodeEntry{Code::pixels_of_other, "pixels.of-other", Usual::alarm, About::pixels,
              "The pixels are those of another sealed image.",
              "Compare with the image that is named: pixels or identity were exchanged; fetch both "
              "again from their source."},
    CodeEntry{Code::attribute_altered, "attribute.altered", Usual::alarm, About::header,
              "An attribute has another value than the sealed one.",
              "Find out which system changed it, and compare with the source of the image."},
    CodeEntry{Code::attribute_added, "attribute.added", Usual::alarm, About::header,
              "The file holds an attribute that was not there at sealing.",
              "Find out which system added it, and compare with the source of the image."},
    CodeEntry{Code::attribute_removed, "attribute.removed", Usual::alarm, About::header,
              "An attribute that was sealed is not in the file.",
              "Find out which system removed it, and fetch the image again from its source."},
    CodeEntry{Code::item_added, "item.added", Usual::alarm, About::header,
              "A sequence holds an item that was not there at sealing.",
              "Find out which system added it, or fetch the file again from its source."},
    CodeEntry{Code::item_removed, "item.removed", Usual::alarm, About::header,
              "An item of a sequence that was sealed is not in the file.",
              "Find out which system removed it, or fetch the file again from its source."},
    // The seal.
    CodeEntry{Code::seal_stripped, "seal.stripped", Usual::alarm, About::seal,
              "The file carries no seal, yet the evidence store knows this image as a sealed one.",
              "Find out which system removed the seal; the findings beside this one say whether "
              "anything else changed."},
    CodeEntry{Code::unsealed, "unsealed", Usual::note, About::seal,
              "No seal was found: not in the file, beside it, in the store, or given.",
              "If it should have one, ask its source for the sealed file or for its evidence."},
    CodeEntry{Code::seal_expected, "seal.expected", Usual::alarm, About::seal,
              "No seal was found, although the file names a device that seals every image.",
              "Treat the image as unproven; ask the device's operator for the sealed original."},
    CodeEntry{Code::seal_invalid, "seal.invalid", Usual::alarm, About::seal,
              "The seal does not hold: it is damaged, forged, or of another image.",
              "Do not rely on this seal; fetch the file or its evidence again from its source."},
    CodeEntry{Code::seal_later, "seal.later", Usual::alarm, About::seal,
              "The seal is dated after the moment that was asked for.",
              "Ask for a later moment (`--at`), or for none, to have this seal counted."},
    CodeEntry{Code::time_disagrees, "time.disagrees", Usual::warning, About::seal,
              "The clocks of the device, of the ledger and of those who attest the date are far "
              "apart.",
              "Check the clock of the sealing device, and of the ledger where it is named; the "
              "attested date counts."},
    CodeEntry{Code::identity_conflict, word(ErrorCode::conflict), Usual::warning, About::seal,
              "The same identity (SOP Instance UID) was sealed with other content.",
              "Compare both images; one of them carries an identity that is not its own."},
    CodeEntry{Code::similar_sealed, "similar.sealed", Usual::note, About::seal,
              "Part of the picture is found in a sealed image, but too little to call it that "
              "image.",
              "Compare with the sealed image that is named; this may be a crop, a montage or a "
              "coincidence."},
    // Whom to believe.
    CodeEntry{Code::signer_untrusted, word(ErrorCode::signer_untrusted), Usual::alarm,
              About::signer, "The signer is not one that the trust file names for this role.",
              "If the signer is one of yours, add its authority to the trust file; if not, do not "
              "rely on the seal."},
    CodeEntry{Code::signer_revoked, word(ErrorCode::signer_revoked), Usual::alarm, About::signer,
              "The signer was revoked at the time of the seal or before.",
              "Do not rely on the seal; ask the hospital that revoked the device what happened."},
    CodeEntry{Code::signer_expired, word(ErrorCode::signer_expired), Usual::alarm, About::signer,
              "The signer's certificate was not valid at the time of the seal.",
              "Check the clock of the sealing device and renew its certificate; do not rely on "
              "this seal until that is explained."},
    CodeEntry{Code::ledger_missing, "ledger.missing", Usual::alarm, About::ledger,
              "No proof shows that the seal was entered in a trusted ledger.",
              "Ask whoever sealed the image for evidence with a receipt (`fiducia export`)."},
    CodeEntry{Code::ledger_invalid, "ledger.invalid", Usual::alarm, About::ledger,
              "The proof that the seal is in the ledger does not hold.",
              "Fetch fresh evidence (`fiducia export`); if it fails again, have the ledger checked "
              "(`fiducia ledger check`)."},
    CodeEntry{
        Code::ledger_revoked, word(ErrorCode::ledger_revoked), Usual::alarm, About::ledger,
        "The ledger's key was revoked, and nobody else attests that the seal is older.",
        "Ask for evidence with a receipt under a checkpoint that the trust file pins, or with "
        "time-stamps; do not rely on the seal without."},
    CodeEntry{Code::store_damaged, word(ErrorCode::store_damaged), Usual::warning, About::store,
              "The evidence store is damaged; that says nothing of the image.",
              "Run `fiducia store check`, and restore the store from a copy."},
    CodeEntry{Code::ledger_unwitnessed, "ledger.unwitnessed", Usual::alarm, About::ledger,
              "Fewer witnesses have cosigned the ledger than the trust file asks for.",
              "Fetch fresh evidence once the witnesses have cosigned, or ask why they have not."},
    CodeEntry{
        Code::ledger_unstamped, "ledger.unstamped", Usual::alarm, About::ledger,
        "Fewer time-stamp authorities have stamped the ledger's checkpoint than the trust "
        "file asks for.",
        "Ask whoever sealed the image for evidence with time-stamps; without them nothing but "
        "the ledger's clock says when it was sealed."},
    // What is allowed, and what cannot be decided.
    CodeEntry{Code::encoding_changed, "encoding.changed", Usual::note, About::encoding,
              "The file was re-encoded without loss since it was sealed; its content is the same.",
              "Nothing needs to be done."},
    CodeEntry{Code::tolerated, "tolerated", Usual::note, About::header,
              "An attribute differs in a way that the trust file takes as harmless.",
              "Nothing needs to be done, unless the rule that is named should not be in your trust "
              "file."},
    CodeEntry{Code::overlay_moved, "overlay.moved", Usual::note, About::encoding,
              "An overlay that lay in unused bits of the samples is a plane of its own now, and "
              "shows the same.",
              "Nothing needs to be done."},
    CodeEntry{Code::lossy_recompressed, "lossy.recompressed", Usual::warning, About::encoding,
              "The file was compressed with loss since it was sealed, so its pixels cannot be "
              "compared exactly.",
              "Ask for the image in the encoding in which it was sealed, or in a lossless one."},
    CodeEntry{Code::reading_ambiguous, "reading.ambiguous", Usual::warning, About::reading,
              "Common programs take this file differently, and may show other pictures or values.",
              "Compare what your viewer shows with the source; have the file written again in a "
              "plain form, and sealed so."},
    CodeEntry{Code::preamble_executable, "preamble.executable", Usual::warning, About::reading,
              "The file begins like a program, a page or a picture of another kind.",
              "Do not open the file with anything but DICOM software; ask its source why it begins "
              "so."},
    CodeEntry{Code::preamble_tiff, "preamble.tiff", Usual::note, About::reading,
              "The file can be opened as a TIFF image as well, which DICOM allows.",
              "Nothing needs to be done; what a TIFF viewer shows is not what was sealed."},
    CodeEntry{Code::offset_table_wrong, "offset-table.wrong", Usual::warning, About::reading,
              "The table that says where frames begin does not fit the frames.",
              "Have the file written again without the table, or with a right one."},
    CodeEntry{Code::bytes_only, "bytes.only", Usual::note, About::encoding,
              "The encoded frames are sealed by their bytes, as no decoder could read them here.",
              "Keep the image in the encoding in which it was sealed; in another one it cannot be "
              "verified."},
    CodeEntry{
        Code::sketch_weak, "sketch.weak", Usual::note, About::store,
        "The picture has less than two tiles of 64 x 64 pixels with a texture, so an altered "
        "copy without seal and under another identity cannot be traced back to it.",
        "Keep the sealed copies; seal in the file (`--in-place` or `--out`), and have devices "
        "that seal everything named in the trust file."},
    CodeEntry{Code::decoder_differs, "decoder.differs", Usual::warning, About::encoding,
              "The image was decompressed from a lossy codestream by another decoder, or altered; "
              "that cannot be told apart.",
              "Ask for the image in the encoding in which it was sealed."},
    CodeEntry{Code::withheld, "withheld", Usual::warning, About::seal,
              "The evidence keeps some parts back, so they cannot be checked.",
              "Ask for complete evidence, if you may see it."},
    CodeEntry{
        Code::codec_missing, word(ErrorCode::codec_missing), Usual::warning, About::machine,
        "No decoder for this encoding is installed here.",
        "Install the program fiducia-codec beside fiducia, or convert the file without loss to "
        "an uncompressed transfer syntax."},
    CodeEntry{Code::codec_failed, word(ErrorCode::codec_failed), Usual::warning, About::machine,
              "The decoder could not decode a frame.",
              "Fetch the file again; if it fails again, the frame is damaged or needs another "
              "decoder."},
    CodeEntry{Code::limit_reached, word(ErrorCode::over_limit), Usual::warning, About::machine,
              "The file is larger or deeper than the limits that apply here.",
              "Split the file, or verify it on a machine with higher limits."},
    CodeEntry{Code::findings_more, "findings.more", Usual::note, About::machine,
              "There are more findings than are listed.",
              "Deal with the listed ones first; the verdict takes all of them into account."},
    // What cannot be read.
    CodeEntry{Code::malformed_truncated, word(ErrorCode::truncated), Usual::alarm, About::file,
              "The file ends before something that it announces.",
              "Fetch the file again from its source; the transfer was cut short."},
    CodeEntry{Code::malformed_nesting, "malformed.nesting", Usual::alarm, About::file,
              "Sequences are nested deeper than any honest writer nests them.",
              "Treat the file as hostile, and do not open it with other software."},
    CodeEntry{Code::malformed_inflate_ratio, "malformed.inflate_ratio", Usual::alarm, About::file,
              "The compressed data set expands beyond all reason.",
              "Treat the file as hostile, and do not open it with other software."},
    CodeEntry{Code::malformed_image_pixel, "malformed.image_pixel", Usual::alarm, About::file,
              "The attributes that describe the pixels are missing or contradict each other.",
              "Fetch the file again from its source, or have the system that wrote it repaired."},
    CodeEntry{Code::malformed_pixel_data, "malformed.pixel_data", Usual::alarm, About::file,
              "The pixel data do not divide into the frames announced.",
              "Fetch the file again from its source, or have the system that wrote it repaired."},
    CodeEntry{Code::malformed_transfer_syntax, "malformed.transfer_syntax", Usual::alarm,
              About::file, "The transfer syntax is none that this release can read.",
              "Have the file written in a transfer syntax of PS3.5, or use a later release."},
    CodeEntry{Code::malformed, word(ErrorCode::malformed), Usual::alarm, About::file,
              "The bytes are not what the format allows.",
              "Fetch the file again from its source; if it stays so, treat it as damaged or "
              "hostile."},
    CodeEntry{Code::unsupported, word(ErrorCode::unsupported), Usual::alarm, About::file,
              "This is well formed, but not something this release can do.",
              "Use a later release, or convert the file to another transfer syntax."},
    // Errors: no verdict could be reached.
    CodeEntry{Code::io_unreadable, word(ErrorCode::io_unreadable), Usual::error, About::call,
              "A file or folder cannot be read.", "Check the path and its permissions."},
    CodeEntry{Code::io_unwritable, word(ErrorCode::io_unwritable), Usual::error, About::call,
              "A file or folder cannot be written.",
              "Make room, or give a path that can be written."},
    CodeEntry{Code::usage_invalid, word(ErrorCode::usage_invalid), Usual::error, About::call,
              "The command was called with arguments that do not fit.",
              "See the help of the sub-command (`--help`)."},
    CodeEntry{Code::config_missing, word(ErrorCode::config_missing), Usual::error, About::call,
              "There is no home with keys and a trust file.",
              "Run `fiducia init`, or name a home with `--home`."},
    CodeEntry{Code::config_invalid, word(ErrorCode::config_invalid), Usual::error, About::call,
              "A configuration or trust file cannot be understood.",
              "Fix the file at the line named."},
    CodeEntry{Code::exists, word(ErrorCode::exists), Usual::error, About::call,
              "What was to be made is there already.", "Name another one, or use the one there."},
    CodeEntry{Code::home_mismatch, word(ErrorCode::home_mismatch), Usual::error, About::call,
              "Parts of a home do not belong together, or one is older than another.",
              "Restore the newest copy of the part that is named (docs/operations.md)."},
    CodeEntry{Code::ledger_conflict, word(ErrorCode::ledger_conflict), Usual::error, About::call,
              "A ledger contradicts what it said before: it is an old copy, or it was forked.",
              "Append nothing; restore its newest copy, and find out who wrote to it."},
    CodeEntry{Code::signature_bad, word(ErrorCode::signature_bad), Usual::error, About::call,
              "A signature or proof does not verify.",
              "Fetch it again from its source; do not rely on what it signs."},
    CodeEntry{Code::crypto_failed, word(ErrorCode::crypto_failed), Usual::error, About::call,
              "The cryptographic library refused its work.",
              "Check the installation of OpenSSL, and report it if that is sound."},
    CodeEntry{Code::busy, word(ErrorCode::busy), Usual::error, About::call,
              "Another process holds the lock.", "Try again in a moment."},
    CodeEntry{Code::clock_invalid, word(ErrorCode::clock_invalid), Usual::error, About::call,
              "The clock of this machine is behind a time that was signed already.",
              "Set the clock, then try again."},
    CodeEntry{Code::internal, word(ErrorCode::internal), Usual::error, About::call,
              "Fiducia broke one of its own rules.",
              "Report it with the command and the message; no verdict was given."},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < code_table.size(); ++i)
    if (std::to_underlying(code_table[i].code) != i) return false;
  return true;
}
static_assert(is_in_order(), "a row for each code, in the order of the enumeration");
static_assert(code_table.size() == std::to_underlying(Code::internal) + 1U);

/// Of a family: the code whose word is "family.kind", else the family.
Code code_of_kind(Code family, std::string_view kind) {
  const std::string word = std::string(entry_of(family).word) + "." + std::string(kind);
  const auto found = std::ranges::find(code_table, word, &CodeEntry::word);
  return found == code_table.end() ? family : found->code;
}

}  // namespace

std::string_view to_word(Usual usual) {
  switch (usual) {
    case Usual::note:
      return "note";
    case Usual::warning:
      return "warning";
    case Usual::alarm:
      return "alarm";
    case Usual::error:
      return "error";
  }
  std::unreachable();
}

std::span<const CodeEntry> all_codes() { return code_table; }

const CodeEntry& entry_of(Code code) {
  FIDUCIA_ASSERT(std::to_underlying(code) < code_table.size());
  return code_table[std::to_underlying(code)];
}

bool is_family(Code code) { return code == Code::malformed || code == Code::unsupported; }

Code code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::malformed:
      return code_of_kind(Code::malformed, error.kind);
    case ErrorCode::unsupported:
      return code_of_kind(Code::unsupported, error.kind);
    default: {
      const auto found = std::ranges::find(code_table, word(error.code), &CodeEntry::word);
      FIDUCIA_ASSERT(found != code_table.end());
      return found->code;
    }
  }
}

}  // namespace fiducia::finding
