// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"

namespace fiducia::seal {

/// What is said about one file (DESIGN 3.1). The default is never `authentic`.
enum class Verdict : std::uint8_t {
  indeterminate,  // exit 5
  authentic,      // 0
  altered,        // 2
  unsealed,       // 3
  untrusted,      // 4
  malformed,      // 6
};
/// The JSON word.
[[nodiscard]] std::string_view to_word(Verdict verdict);
/// The exit code of one verdict.
[[nodiscard]] int exit_code(Verdict verdict);
/// The worse of two exit codes in the order 1, 2, 6, 4, 5, 3, 0.
[[nodiscard]] int worse_exit_code(int a, int b);

enum class Severity : std::uint8_t { note, warning, alarm };
[[nodiscard]] std::string_view to_word(Severity severity);

/// Position of a tile in its frame, from 0.
struct TilePosition {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  auto operator<=>(const TilePosition&) const = default;
};

/// In pixels of the frame, from the top left.
struct Box {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool operator==(const Box&) const = default;
};

/// One thing found. `code` is a word of docs/codes.md; `text` is a plain sentence without any
/// attribute value.
struct Finding {
  std::string code;
  Severity severity = Severity::note;
  std::string text;
  std::optional<std::uint32_t> frame = {};  // from 1
  std::vector<TilePosition> tiles = {};     // at most limits::tiles_listed_max
  std::optional<Box> box = {};              // covers all differing tiles of the frame
  std::string attribute = {};               // "(0040,0275)[1].(0040,0007)", `(0029,"SIEMENS",10)`
  std::string keyword = {};  // of the last attribute of the path, when PS3.6 names it
  /// What the file says now, as text cut to 256 bytes; filled only when values were asked for.
  std::optional<std::string> current_value = {};
};

enum class FoundIn : std::uint8_t { file, sidecar, store, given };
[[nodiscard]] std::string_view to_word(FoundIn found_in);

struct SealInfo {
  std::string device;
  Digest signer;            // SHA-256 of the certificate
  Digest signer_key;        // SHA-256 of its public key: what a revocation names
  std::string signer_name;  // common name of the certificate
  UnixTime sealed_at;       // claimed by the signer
  Digest object_root;
  FoundIn found_in = FoundIn::given;
  // What holds of this seal, whatever other seals came with the file (for reports, not in JSON).
  bool holds = false;            // its tables and its signature verify
  bool accepted = false;         // the trust file accepts signer, ledger, witnesses and time
  bool content_matches = false;  // everything it covers is in the file, and nothing else
};

/// Whose word the date of a seal is (spec/seal.md 9.4), the most independent first.
enum class DatedBy : std::uint8_t { tsa, witness, log };
[[nodiscard]] std::string_view to_word(DatedBy dated_by);

struct LedgerInfo {
  std::string origin;
  std::uint64_t index = 0;
  std::uint64_t tree_size = 0;
  std::optional<UnixTime> checkpoint_at;  // issued-at of the receipt: the ledger's own clock
  std::vector<std::string> witnesses;     // of the trust file that cosigned the checkpoint
  /// The date that everything is judged by: the seal existed then, at the latest.
  std::optional<UnixTime> dated_at = {};
  DatedBy dated_by = DatedBy::log;
  std::vector<std::string> time_stamps = {};  // authorities of the trust file that stamped it
};

struct ImageInfo {
  std::string sop_class;
  std::string transfer_syntax;
  std::uint32_t frames = 0;  // 0: an object without pixels
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
};

/// What the trust file tolerates in headers (spec/trust.md 8).
struct ToleranceInfo {
  std::string profile;        // built in; empty: none
  std::size_t own_rules = 0;  // of the trust file itself
};

/// Everything `verify` says of one file (spec/verify.schema.json).
struct VerifyResult {
  std::string path;
  Verdict verdict = Verdict::indeterminate;
  std::vector<Finding> findings;  // alarms first
  std::optional<SealInfo> seal;
  std::optional<LedgerInfo> ledger;
  std::optional<ImageInfo> image;
  std::optional<ToleranceInfo> tolerance = {};  // absent: nothing is tolerated
};

}  // namespace fiducia::seal
