// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

#include "format_support.h"

/// Vectors that others published, or that we publish; apart, for few tests need a JSON reader.
namespace fiducia::ledger_format::test {

/// tests/data/vectors/NAME.
inline nlohmann::json read_json(std::string_view name) {
  const auto text = read_file(fiducia::test::data("vectors/" + std::string{name}), 1 << 20);
  FIDUCIA_ASSERT(text.has_value());
  return nlohmann::json::parse(as_text(*text));
}

}  // namespace fiducia::ledger_format::test
