// SPDX-License-Identifier: Apache-2.0
// The trust file: whatever is accepted keeps its rules and survives writing and reading.
#include <cstdlib>

#include "target.h"
#include "trust/trust_file.h"

using namespace fiducia;
using fiducia::fuzz::require;

FIDUCIA_FUZZ_TARGET(trust) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto trust = trust::read_trust(text, "trust.toml");
  if (!trust) {
    require(trust.error().code == ErrorCode::config_invalid ||
            trust.error().code == ErrorCode::over_limit);
    require(!trust.error().what.empty() && is_utf8(trust.error().what));
    require(trust.error().what.size() < 4096);
    return 0;
  }
  for (const trust::TrustedLedger& ledger : trust->ledgers)
    require(ledger.quorum <= ledger.witnesses.size());
  for (const trust::TrustedAuthority& authority : trust->authorities)
    require(!authority.name.empty() && !authority.roles.empty());
  const std::string written = trust::write_trust(*trust);
  const auto again = trust::read_trust(written, "again");
  require(again.has_value());
  require(trust::write_trust(*again) == written);
  return 0;
}
