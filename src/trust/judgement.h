// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "finding/finding.h"

namespace fiducia::trust {

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

/// What can be said of the seal itself, whatever the content. Default: nothing holds.
struct TrustJudgement {
  bool tables_valid = false;     // leaf tables lead to the signed roots
  bool signature_valid = false;  // of the statement, by the certificate it carries
  bool accepted = false;         // signer, ledger, witnesses and time please the trust file
  std::vector<finding::Finding> findings;
  SealInfo seal;
  std::optional<LedgerInfo> ledger;
};

}  // namespace fiducia::trust
