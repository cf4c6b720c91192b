// SPDX-License-Identifier: Apache-2.0
#include "seal/loss_record.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace fiducia::seal {
namespace {

constexpr dicom::Tag lossy_image_compression{0x0028, 0x2110};
constexpr dicom::Tag lossy_image_compression_ratio{0x0028, 0x2112};
constexpr dicom::Tag lossy_image_compression_method{0x0028, 0x2114};

/// The defined terms of PS3.3 C.7.6.1.1.5.1, by the end of "1.2.840.10008.1.2.4." of the transfer
/// syntaxes whose frames are decoded here.
std::string_view method_of(std::string_view transfer_syntax) {
  constexpr std::string_view arc = "1.2.840.10008.1.2.4.";
  if (!transfer_syntax.starts_with(arc)) return {};
  const std::string_view end = transfer_syntax.substr(arc.size());
  struct Method {
    std::string_view term;
    std::array<std::string_view, 5> syntaxes;
  };
  static constexpr std::array<Method, 5> methods{{
      {"ISO_10918_1", {"50", "51", "53", "55"}},
      {"ISO_14495_1", {"80", "81"}},
      {"ISO_15444_1", {"90", "91"}},
      {"ISO_15444_15", {"201", "202", "203"}},
      {"ISO_18181_1", {"110", "111", "112"}},
  }};
  for (const Method& method : methods)
    for (const std::string_view syntax : method.syntaxes)
      if (syntax == end) return method.term;
  return {};
}

/// The ratio as it was written: a plain decimal number without sign or exponent. A ratio may be cut
/// or rounded to its digits, so that it is off by less than one of its last.
bool is_ratio(std::string_view text, double ratio) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  const std::size_t point = text.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : text.size() - point - 1;
  return std::abs(value - ratio) < std::pow(10.0, -static_cast<double>(decimals));
}

}  // namespace

ProvenLoss proven_loss(const dicom::File& file, const evidence::Statement& statement) {
  ProvenLoss loss;
  // Without a root nothing was decoded, and nothing is known of any loss.
  if (!statement.pixels || !statement.pixels->root || statement.pixels->lossless) return loss;
  loss.lossy = true;
  loss.method = method_of(statement.transfer_syntax_uid);
  if (file.transfer_syntax().uid != statement.transfer_syntax_uid) return loss;
  for (const ByteView fragment : file.data_set().fragments()) loss.encoded_bytes += fragment.size();
  const evidence::SealedGeometry& g = statement.pixels->geometry;
  if (loss.encoded_bytes > 0)
    loss.native_bytes =
        std::uint64_t{g.frames} * g.rows * g.columns * g.samples_per_pixel * g.sample_bytes;
  return loss;
}

bool is_loss_record(dicom::Tag tag) {
  return tag == lossy_image_compression || tag == lossy_image_compression_ratio ||
         tag == lossy_image_compression_method;
}

bool is_true_loss_record(const ProvenLoss& loss, dicom::Tag tag, std::string_view text) {
  if (!loss.lossy) return false;
  if (tag == lossy_image_compression) return text == "01";
  if (tag == lossy_image_compression_method) return !text.empty() && text == loss.method;
  if (tag != lossy_image_compression_ratio || loss.encoded_bytes == 0) return false;
  return is_ratio(text,
                  static_cast<double>(loss.native_bytes) / static_cast<double>(loss.encoded_bytes));
}

}  // namespace fiducia::seal
