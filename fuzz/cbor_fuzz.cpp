// SPDX-License-Identifier: Apache-2.0
// The CBOR reader on any bytes: what it accepts as deterministic has one spelling, order `any`
// accepts at least as much, and reading item by item agrees with skipping.
#include <cstdint>
#include <utility>

#include "crypto/cbor.h"
#include "target.h"

namespace fiducia::crypto {
namespace {

/// Reads one item by its parts and writes it again. Depth is bounded, since `skip` accepted it.
bool copy_item(CborReader& in, CborWriter& out) {
  const auto type = in.peek();
  FIDUCIA_ASSERT(type.has_value());
  switch (*type) {
    case CborType::uint:
      out.uint(in.uint().value());
      return true;
    case CborType::negative: {
      const auto value = in.integer();
      if (!value) return false;  // below -2^63: well formed, but no integer of ours
      out.integer(*value);
      return true;
    }
    case CborType::bytes:
      out.bytes(in.bytes().value());
      return true;
    case CborType::text:
      out.text(in.text().value());
      return true;
    case CborType::boolean:
      out.boolean(in.boolean().value());
      return true;
    case CborType::null:
      out.null();
      return in.null().has_value();
    case CborType::tag:
      out.tag(in.tag().value());
      return copy_item(in, out);
    case CborType::array: {
      const std::size_t count = in.array().value();
      out.array(count);
      for (std::size_t i = 0; i < count; ++i) {
        if (!copy_item(in, out)) return false;
      }
      return true;
    }
    case CborType::map: {
      auto map = CborMap::open(in);
      FIDUCIA_ASSERT(map.has_value());
      CborReader ahead = in;
      std::uint64_t count = 0;
      {
        const CborReader at_first_key = in;
        for (;;) {
          const auto key = map->next();
          if (!key) return false;  // a key that is neither integer nor text
          if (!*key) break;
          FIDUCIA_ASSERT(in.skip().has_value());
          ++count;
        }
        ahead = at_first_key;
      }
      out.map(count);
      for (std::uint64_t i = 0; i < 2 * count; ++i) {
        if (!copy_item(ahead, out)) return false;
      }
      FIDUCIA_ASSERT(ahead.offset() == in.offset());
      return true;
    }
  }
  std::unreachable();
}

}  // namespace
}  // namespace fiducia::crypto

FIDUCIA_FUZZ_TARGET(cbor) {
  using namespace fiducia;
  using namespace fiducia::crypto;
  const ByteView input = std::as_bytes(std::span(data, size));
  CborReader strict(input);
  CborReader foreign(input, CborOrder::any);
  const auto item = strict.skip();
  const auto foreign_item = foreign.skip();
  if (!item) {
    FIDUCIA_ASSERT(strict.offset() == 0);
    return 0;
  }
  FIDUCIA_ASSERT(foreign_item.has_value() && foreign_item->size() == item->size());
  CborReader reader(input);
  CborWriter writer;
  if (copy_item(reader, writer)) {
    FIDUCIA_ASSERT(reader.offset() == item->size());
    FIDUCIA_ASSERT(same_bytes(writer.take(), *item));
  }
  return 0;
}
