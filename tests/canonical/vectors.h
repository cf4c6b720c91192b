// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include <nlohmann/json.hpp>

/// The conformance vectors of spec/seal.md, computed by the code under test. Preimages are put
/// together here, step by step as the text says, and must hash to what the code says.
namespace fiducia::test {

using Json = nlohmann::ordered_json;

/// File name in tests/data/vectors/fiducia/ -> content.
[[nodiscard]] std::map<std::string, Json> compute_vectors();

/// Text between `<!-- vectors: NAME -->` and `<!-- /vectors -->` in spec/seal.md, by NAME.
[[nodiscard]] std::map<std::string, std::string> compute_examples();

}  // namespace fiducia::test
