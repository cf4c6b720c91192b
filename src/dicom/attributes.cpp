// SPDX-License-Identifier: Apache-2.0
#include "dicom/attributes.h"

#include <algorithm>
#include <bit>

#include "dicom/padding.h"

namespace fiducia::dicom {
namespace {

/// How the bytes of one number are to be taken.
enum class Number : std::uint8_t { none, unsigned_integer, signed_integer, floating };
struct NumberForm {
  Number kind = Number::none;
  std::size_t bytes = 0;
};

NumberForm number_form(Vr vr) {
  if (vr == vr::ob) return {Number::unsigned_integer, 1};
  if (vr == vr::us || vr == vr::ow) return {Number::unsigned_integer, 2};
  if (vr == vr::ul || vr == vr::ol) return {Number::unsigned_integer, 4};
  if (vr == vr::uv || vr == vr::ov) return {Number::unsigned_integer, 8};
  if (vr == vr::ss) return {Number::signed_integer, 2};
  if (vr == vr::sl) return {Number::signed_integer, 4};
  if (vr == vr::sv) return {Number::signed_integer, 8};
  if (vr == vr::fl || vr == vr::of) return {Number::floating, 4};
  if (vr == vr::fd || vr == vr::od) return {Number::floating, 8};
  return {};
}

template <std::unsigned_integral T>
T load_number(const std::byte* p, bool big_endian) {
  return big_endian ? load_be<T>(p) : load_le<T>(p);
}
std::uint64_t load_word(const std::byte* p, std::size_t bytes, bool big_endian) {
  switch (bytes) {
    case 1:
      return std::to_integer<std::uint64_t>(*p);
    case 2:
      return load_number<std::uint16_t>(p, big_endian);
    case 4:
      return load_number<std::uint32_t>(p, big_endian);
    default:
      return load_number<std::uint64_t>(p, big_endian);
  }
}
std::int64_t sign_extended(std::uint64_t word, std::size_t bytes) {
  const unsigned unused = 64 - 8 * static_cast<unsigned>(bytes);
  return static_cast<std::int64_t>(word << unused) >> unused;
}
double floating(std::uint64_t word, std::size_t bytes) {
  return bytes == 4 ? double{std::bit_cast<float>(static_cast<std::uint32_t>(word))}
                    : std::bit_cast<double>(word);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find('\\', start), text.size());
    out.push_back(text.substr(start, end - start));
    if (end == text.size()) return out;
    start = end + 1;
  }
}

/// The character set that a data set names, or the one it inherits.
CharacterSet character_set_of(const DataSet& data_set, ElementIndex first,
                              const CharacterSet& inherited) {
  const ElementIndex named = find_step(data_set, first, {.tag = tags::specific_character_set});
  return named == no_index ? inherited : CharacterSet(as_text(data_set.element(named).value));
}

}  // namespace

std::unexpected<Error> Value::located(Error error) const {
  error.where.element = data_set_->path_of(index_);
  error.where.offset = element().offset;
  return std::unexpected(std::move(error));
}

std::unexpected<Error> Value::wrong_vr(const char* what) const {
  return located({.code = ErrorCode::unsupported,
                  .what = "an attribute of VR " + element().vr.text() + " has no " + what + ".",
                  .remedy = "Ask for what its VR holds.",
                  .where = {},
                  .kind = "vr"});
}

Status Value::check_count(std::size_t count) const {
  if (count <= limits::attribute_values_max) return {};
  return located({.code = ErrorCode::over_limit,
                  .what = "the attribute has more than " +
                          std::to_string(limits::attribute_values_max) + " values.",
                  .remedy = "Read its bytes instead.",
                  .where = {},
                  .kind = {}});
}

bool Value::is_empty() const {
  const Element& e = element();
  if (e.vr == vr::sq) return e.item_count == 0;
  return is_text(e.vr) ? without_padding(as_text(e.value)).empty() : e.value.empty();
}

Result<std::size_t> Value::count() const {
  const Element& e = element();
  if (e.vr == vr::sq) return std::size_t{e.item_count};
  if (is_text(e.vr)) {
    FIDUCIA_TRY(all, texts());
    return all.size();
  }
  if (e.vr == vr::at) return e.value.size() / 4;
  const NumberForm form = number_form(e.vr);
  return form.bytes == 0 || e.vr == vr::ob ? std::size_t{!e.value.empty()}
                                           : e.value.size() / form.bytes;
}

Result<std::vector<std::string>> Value::texts() const {
  const Element& e = element();
  if (!is_text(e.vr)) return wrong_vr("text");
  const std::string_view raw = as_text(e.value);
  std::vector<std::string> out;
  if (without_padding(raw).empty()) return out;
  const bool is_multi = is_multi_valued(e.vr);
  if (is_multi)
    FIDUCIA_CHECK(check_count(static_cast<std::size_t>(std::ranges::count(raw, '\\')) + 1));
  // The Specific Character Set governs some VRs only; the others are ASCII by rule.
  const auto decoded = (has_character_set(e.vr) ? character_set_ : CharacterSet{})
                           .decode(raw, is_multi, e.vr == vr::pn);
  if (!decoded)
    return located({.code = ErrorCode::malformed,
                    .what = "the text has bytes that its character set does not decode.",
                    .remedy = "Correct Specific Character Set (0008,0005) where it was written.",
                    .where = {},
                    .kind = "character_set"});
  if (!is_multi) {
    out.emplace_back(without_padding(e.vr, *decoded));
    return out;
  }
  for (const std::string_view one : split(without_padding(e.vr, *decoded)))
    out.emplace_back(without_padding(e.vr, one));
  return out;
}

template <class T>
Result<std::vector<T>> Value::each(Vr vr, Result<T> (*read)(std::string_view)) const {
  if (element().vr != vr) return wrong_vr(("values of VR " + vr.text()).c_str());
  FIDUCIA_TRY(all, texts());
  std::vector<T> out;
  out.reserve(all.size());
  for (const std::string& one : all) {
    auto value = read(one);
    if (!value) return located(std::move(value).error());
    out.push_back(std::move(*value));
  }
  return out;
}

template <class T>
Result<T> Value::only(Result<std::vector<T>> values) const {
  if (!values) return std::unexpected(std::move(values).error());
  if (values->size() != 1)
    return located({.code = ErrorCode::malformed,
                    .what = "the attribute has " + std::to_string(values->size()) +
                            " values where one is expected.",
                    .remedy = "Correct the attribute where it was made.",
                    .where = {},
                    .kind = "multiplicity"});
  return std::move(values->front());
}

Result<std::vector<PersonName>> Value::person_names() const {
  return each<PersonName>(vr::pn, read_person_name);
}
Result<std::vector<std::chrono::year_month_day>> Value::dates() const {
  return each<std::chrono::year_month_day>(vr::da, read_date);
}
Result<std::vector<TimeOfDay>> Value::times() const { return each<TimeOfDay>(vr::tm, read_time); }
Result<std::vector<DateTime>> Value::date_times() const {
  return each<DateTime>(vr::dt, read_date_time);
}
Result<std::vector<Age>> Value::ages() const { return each<Age>(vr::as, read_age); }
Result<std::vector<std::string>> Value::uids() const { return each<std::string>(vr::ui, read_uid); }

Result<std::vector<std::int64_t>> Value::integers() const {
  const Element& e = element();
  std::vector<std::int64_t> out;
  if (e.vr == vr::is) {
    FIDUCIA_TRY(all, each<std::int32_t>(vr::is, read_integer_string));
    out.assign(all.begin(), all.end());
    return out;
  }
  const NumberForm form = number_form(e.vr);
  if (form.bytes == 0 || form.kind == Number::floating || e.encapsulated)
    return wrong_vr("integers");
  if (e.value.size() % form.bytes != 0)
    return located(fail_malformed("value", "the value is not a whole number of numbers.").error());
  FIDUCIA_CHECK(check_count(e.value.size() / form.bytes));
  out.reserve(e.value.size() / form.bytes);
  for (std::size_t at = 0; at < e.value.size(); at += form.bytes) {
    const std::uint64_t word = load_word(e.value.data() + at, form.bytes, e.big_endian);
    if (form.kind == Number::signed_integer) {
      out.push_back(sign_extended(word, form.bytes));
      continue;
    }
    if (!std::in_range<std::int64_t>(word))
      return located(fail_malformed("value", "a number is past the largest of 63 bits.").error());
    out.push_back(static_cast<std::int64_t>(word));
  }
  return out;
}

Result<std::vector<double>> Value::numbers() const {
  const Element& e = element();
  if (e.vr == vr::ds) return each<double>(vr::ds, read_decimal_string);
  const NumberForm form = number_form(e.vr);
  if (form.kind != Number::floating) {
    FIDUCIA_TRY(all, integers());
    return std::vector<double>(all.begin(), all.end());
  }
  if (e.value.size() % form.bytes != 0)
    return located(fail_malformed("value", "the value is not a whole number of numbers.").error());
  FIDUCIA_CHECK(check_count(e.value.size() / form.bytes));
  std::vector<double> out;
  out.reserve(e.value.size() / form.bytes);
  for (std::size_t at = 0; at < e.value.size(); at += form.bytes)
    out.push_back(floating(load_word(e.value.data() + at, form.bytes, e.big_endian), form.bytes));
  return out;
}

Result<std::vector<Tag>> Value::tags() const {
  const Element& e = element();
  if (e.vr != vr::at) return wrong_vr("tags");
  constexpr std::size_t tag_bytes = 4;
  if (e.value.size() % tag_bytes != 0)
    return located(fail_malformed("value", "the value is not a whole number of tags.").error());
  FIDUCIA_CHECK(check_count(e.value.size() / tag_bytes));
  std::vector<Tag> out;
  out.reserve(e.value.size() / tag_bytes);
  for (std::size_t at = 0; at < e.value.size(); at += tag_bytes)
    out.push_back({.group = load_number<std::uint16_t>(e.value.data() + at, e.big_endian),
                   .element = load_number<std::uint16_t>(e.value.data() + at + 2, e.big_endian)});
  return out;
}

Result<std::string> Value::text() const { return only(texts()); }
Result<PersonName> Value::person_name() const { return only(person_names()); }
Result<std::int64_t> Value::integer() const { return only(integers()); }
Result<double> Value::number() const { return only(numbers()); }
Result<std::chrono::year_month_day> Value::date() const { return only(dates()); }
Result<TimeOfDay> Value::time() const { return only(times()); }
Result<DateTime> Value::date_time() const { return only(date_times()); }
Result<Age> Value::age() const { return only(ages()); }
Result<std::string> Value::uid() const { return only(uids()); }
Result<Tag> Value::tag() const { return only(tags()); }

Attributes::Attributes(const DataSet& data_set)
    : Attributes(data_set, data_set.first(), CharacterSet{}) {}

Attributes::Attributes(const DataSet& data_set, ElementIndex first, const CharacterSet& inherited)
    : data_set_(&data_set),
      first_(first),
      character_set_(character_set_of(data_set, first, inherited)) {}

std::optional<Attributes> Attributes::enter(std::span<const PathStep> steps) const {
  Attributes scope = *this;
  for (const PathStep& step : steps) {
    const ElementIndex found = find_step(*data_set_, scope.first_, step);
    if (found == no_index) return std::nullopt;
    const ItemIndex item = data_set_->find_item(found, step.item_number);
    if (item == no_index) return std::nullopt;
    scope = Attributes(*data_set_, data_set_->item(item).first_element, scope.character_set_);
  }
  return scope;
}

std::optional<Value> Attributes::find(const AttributePath& path) const {
  if (path.is_item()) return std::nullopt;
  const auto scope = enter(path.steps().first(path.steps().size() - 1));
  if (!scope) return std::nullopt;
  const ElementIndex found = find_step(*data_set_, scope->first_, path.steps().back());
  if (found == no_index) return std::nullopt;
  return Value(*data_set_, found, scope->character_set_);
}

std::optional<Attributes> Attributes::find_item(const AttributePath& path) const {
  return path.is_item() ? enter(path.steps()) : std::nullopt;
}

Result<Value> Attributes::require(const AttributePath& path) const {
  auto value = find(path);
  if (value && !value->is_empty()) return std::move(*value);
  auto error = fail_malformed("missing", "the attribute is missing or empty.");
  error.error().remedy = "Correct the object where it was made.";
  error.error().where.element = path.text();
  return error;
}

std::vector<Attributes> Attributes::items(const AttributePath& sequence) const {
  std::vector<Attributes> out;
  const auto value = find(sequence);
  if (!value) return out;
  for (ItemIndex i = value->element().first_item; i != no_index; i = data_set_->item(i).next)
    out.push_back(Attributes(*data_set_, data_set_->item(i).first_element, value->character_set()));
  return out;
}

Result<std::optional<DateTime>> Attributes::find_date_time(Tag date_tag, Tag time_tag) const {
  const auto date = find(date_tag);
  if (!date || date->is_empty()) return std::nullopt;
  DateTime out;
  FIDUCIA_TRY(day, date->date());
  out.date = day;
  out.precision = Precision::day;
  if (const auto time = find(time_tag); time && !time->is_empty()) {
    FIDUCIA_TRY(of_day, time->time());
    out.time = of_day;
    out.precision = of_day.precision;
  }
  if (const auto zone = find(tags::timezone_offset_from_utc); zone && !zone->is_empty()) {
    FIDUCIA_TRY(text, zone->text());
    auto offset = read_utc_offset(text);
    if (!offset) {
      Error error = std::move(offset).error();
      error.where.element = to_string(tags::timezone_offset_from_utc);
      return std::unexpected(std::move(error));
    }
    out.utc_offset = *offset;
  }
  return out;
}

}  // namespace fiducia::dicom
