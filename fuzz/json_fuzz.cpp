// SPDX-License-Identifier: Apache-2.0
// JSON: what is read is what nlohmann's own tree says, with each place where it is said; what is
// refused is refused with a code, a place, and no word of the text.
#include <nlohmann/json.hpp>

#include "core/core.h"
#include "json/json.h"
#include "target.h"

namespace {

using namespace fiducia;
using fiducia::fuzz::require;
using Peer = nlohmann::ordered_json;

constexpr json::ReadLimits read_limits{.bytes = 16'384, .values = 2'000, .nesting = 30};

void check_number(const json::Number& number, const Peer& peer) {
  require(peer.is_number() && number.real() == peer.get<double>(), "the numbers are equal");
  if (peer.is_number_unsigned())
    require(number.unsigned_integer() == peer.get<std::uint64_t>(), "and exact");
  else if (peer.is_number_integer() && number.text() != "-0")
    require(number.integer() == peer.get<std::int64_t>(), "and exact");
  else if (number.text() != "-0")
    require(!number.integer() && !number.unsigned_integer(), "no other number is an integer");
}

/// Nested no deeper than read_limits.
void check_value(const json::Value& value, const Peer& peer, std::string_view text) {
  require(value.offset < text.size(), "a value stands in the text");
  const char first = text[static_cast<std::size_t>(value.offset)];
  if (const json::Object* object = value.object()) {
    require(first == '{' && peer.is_object() && peer.size() == object->members.size());
    for (const json::Member& member : object->members) {
      require(text[static_cast<std::size_t>(member.offset)] == '"', "a name begins with a quote");
      require(peer.contains(member.name) && object->find(member.name) == &member.value);
      check_value(member.value, peer[member.name], text);
    }
  } else if (const std::vector<json::Value>* list = value.list()) {
    require(first == '[' && peer.is_array() && peer.size() == list->size());
    for (std::size_t i = 0; i < list->size(); ++i) check_value((*list)[i], peer[i], text);
  } else if (const std::string* string = value.text()) {
    require(first == '"' && peer.is_string() && peer.get_ref<const std::string&>() == *string);
    require(is_utf8(*string), "a string is UTF-8");
  } else if (const json::Number* number = value.number()) {
    require(text.substr(static_cast<std::size_t>(value.offset)).starts_with(number->text()));
    check_number(*number, peer);
  } else if (const bool* boolean = value.boolean()) {
    require(first == (*boolean ? 't' : 'f') && peer.is_boolean() && peer.get<bool>() == *boolean);
  } else {
    require(first == 'n' && peer.is_null());
  }
}

}  // namespace

FIDUCIA_FUZZ_TARGET(json) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto value = json::read(text, read_limits);
  const Peer peer = Peer::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value) {
    require(!peer.is_discarded(), "the peer reads what we read");
    check_value(*value, peer, text);
    return 0;
  }
  const Error& error = value.error();
  require(error.code == ErrorCode::malformed || error.code == ErrorCode::truncated ||
              error.code == ErrorCode::over_limit,
          "an error is one that the contract names");
  require(!error.where.offset || *error.where.offset <= size, "and lies in the text");
  require(is_utf8(error.what) && error.what.size() < 200, "and quotes nothing");
  if (error.code == ErrorCode::truncated)
    require(peer.is_discarded(), "what is truncated is not complete for others either");
  return 0;
}
