// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

namespace fiducia::canonical {

/// Where evidence lives inside a file (spec/evidence.md): private creator (0F1D,00bb) `FIDUCIA` and
/// (0F1D,bb01) OB, at the top level. The block number bb may move, as any private block's. It has
/// no leaf: a seal cannot cover itself.
inline constexpr std::uint16_t embedded_group = 0x0F1D;
inline constexpr std::string_view embedded_creator = "FIDUCIA";
inline constexpr std::uint8_t embedded_element = 0x01;

}  // namespace fiducia::canonical
