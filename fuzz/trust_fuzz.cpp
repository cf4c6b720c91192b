// SPDX-License-Identifier: Apache-2.0
// The trust file: whatever is accepted keeps its rules and survives writing and reading.
#include <cstdlib>

#include "seal/trust.h"
#include "target.h"

using namespace fiducia;
using fiducia::fuzz::require;

FIDUCIA_FUZZ_TARGET(trust) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto trust = seal::read_trust(text, "trust.toml");
  if (!trust) {
    require(trust.error().code == ErrorCode::config_invalid ||
            trust.error().code == ErrorCode::over_limit);
    require(!trust.error().what.empty() && is_utf8(trust.error().what));
    require(trust.error().what.size() < 4096);
    return 0;
  }
  for (const seal::TrustedLedger& ledger : trust->ledgers)
    require(ledger.quorum <= ledger.witnesses.size());
  for (const seal::TrustedAuthority& authority : trust->authorities)
    require(!authority.name.empty() && !authority.roles.empty());
  const std::string written = seal::write_trust(*trust);
  const auto again = seal::read_trust(written, "again");
  require(again.has_value());
  require(seal::write_trust(*again) == written);
  return 0;
}
