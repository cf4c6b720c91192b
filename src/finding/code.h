// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/core.h"

namespace fiducia::finding {

/// What was found, or why nothing could be. The words of JSON are a contract (docs/codes.md):
/// append here and in the table of code.cpp, never rename. What judges anything else (forensics,
/// gateway, data sets) has its codes here, too, so that whoever shows or filters findings knows one
/// list.
enum class Code : std::uint8_t {
  // What was sealed and what is there.
  pixels_altered,
  pixels_missing,
  pixels_added,
  pixels_of_other,
  attribute_altered,
  attribute_added,
  attribute_removed,
  item_added,
  item_removed,
  // The seal.
  seal_stripped,
  unsealed,
  seal_expected,
  seal_invalid,
  seal_later,
  time_disagrees,
  identity_conflict,
  similar_sealed,
  // Whom to believe.
  signer_untrusted,
  signer_revoked,
  signer_expired,
  ledger_missing,
  ledger_invalid,
  ledger_revoked,
  store_damaged,
  ledger_unwitnessed,
  ledger_unstamped,
  // What is allowed, and what cannot be decided.
  encoding_changed,
  tolerated,
  overlay_moved,
  lossy_recompressed,
  reading_ambiguous,
  preamble_executable,
  preamble_tiff,
  offset_table_wrong,
  bytes_only,
  sketch_weak,
  decoder_differs,
  withheld,
  codec_missing,
  codec_failed,
  limit_reached,
  findings_more,
  // What cannot be read.
  malformed_truncated,
  malformed_nesting,
  malformed_inflate_ratio,
  malformed_image_pixel,
  malformed_pixel_data,
  malformed_transfer_syntax,
  malformed,
  unsupported,
  // Errors: no verdict could be reached.
  io_unreadable,
  io_unwritable,
  usage_invalid,
  config_missing,
  config_invalid,
  exists,
  home_mismatch,
  ledger_conflict,
  signature_bad,
  crypto_failed,
  busy,
  clock_invalid,
  internal,
};

/// How grave a finding of a code usually is; `error`: it stands in no finding, only in an error.
enum class Usual : std::uint8_t { note, warning, alarm, error };
[[nodiscard]] std::string_view to_word(Usual usual);

/// What a code speaks of: what logic asks for instead of parts of words.
enum class About : std::uint8_t {
  pixels,
  header,
  seal,
  signer,
  ledger,
  store,
  encoding,
  reading,  // what common programs take differently
  machine,  // decoders and limits of this machine
  file,     // its form
  call,     // how the program was called and set up
};

/// One row of docs/codes.md.
struct CodeEntry {
  Code code;
  std::string_view word;  // "pixels.altered"; that of a family ("malformed") goes on with a kind
  Usual usual;
  About about;
  std::string_view meaning;  // one plain sentence
  std::string_view remedy;   // one sentence: what the reader can do next
};

/// Every code, in the order of the enumeration and of the document.
[[nodiscard]] std::span<const CodeEntry> all_codes();
[[nodiscard]] const CodeEntry& entry_of(Code code);
[[nodiscard]] inline About about(Code code) { return entry_of(code).about; }
/// Whether the word of a code goes on with a kind: "malformed.cbor".
[[nodiscard]] bool is_family(Code code);

/// The code that says of a finding what `error` says. Of a family when no row names its kind.
[[nodiscard]] Code code_of(const Error& error);

}  // namespace fiducia::finding
