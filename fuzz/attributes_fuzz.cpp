// SPDX-License-Identifier: Apache-2.0
// Typed access on any data set: each value is read or refused with a code, the readers of one value
// agree with each other, and every element is found by its path. The first byte chooses the
// encoding.
#include <set>
#include <string>

#include "dicom/dicom.h"
#include "target.h"

namespace {

using namespace fiducia;
using fiducia::fuzz::require;

template <class T>
void check_answer(const Result<T>& result) {
  if (result) return;
  const Error& error = result.error();
  require(error.code == ErrorCode::malformed || error.code == ErrorCode::unsupported ||
              error.code == ErrorCode::over_limit,
          "an error is one that the contract names");
  require(!error.where.element.empty(), "an error says where");
}

void check_value(const dicom::Value& value) {
  const auto texts = value.texts();
  check_answer(texts);
  const auto count = value.count();
  check_answer(count);
  if (texts) {
    require(count && *count == texts->size(), "there are as many texts as values");
    require(texts->empty() == value.is_empty(), "nothing but padding is no value");
    for (const std::string& text : *texts) require(is_utf8(text), "text is UTF-8");
  }
  const auto integers = value.integers();
  const auto numbers = value.numbers();
  check_answer(integers);
  check_answer(numbers);
  if (integers) {
    require(numbers && numbers->size() == integers->size(), "integers are numbers");
    for (std::size_t i = 0; i < integers->size(); ++i)
      require((*numbers)[i] == static_cast<double>((*integers)[i]), "and the same ones");
  }
  if (const auto names = value.person_names())
    for (const dicom::PersonName& name : *names) {
      const auto again = dicom::read_person_name(name.text());
      require(again && *again == name, "a name is written as it was read");
    }
  check_answer(value.dates());
  check_answer(value.times());
  check_answer(value.date_times());
  check_answer(value.ages());
  check_answer(value.uids());
  check_answer(value.tags());
  check_answer(value.text());
}

bool repeats_a_path(const dicom::DataSet& data_set) {
  std::set<std::string> seen;
  for (dicom::ElementIndex i = 0; i < data_set.element_count(); ++i)
    if (!seen.insert(data_set.path_of(i)).second) return true;
  return false;
}

}  // namespace

FIDUCIA_FUZZ_TARGET(attributes) {
  if (size == 0) return 0;
  const Bytes input(reinterpret_cast<const std::byte*>(data + 1),
                    reinterpret_cast<const std::byte*>(data + size));
  const dicom::Encoding encoding{.explicit_vr = data[0] % 3 != 0, .big_endian = data[0] % 3 == 2};
  const auto data_set = dicom::parse_data_set(input, encoding);
  if (!data_set) return 0;
  const dicom::Attributes top(*data_set);
  for (dicom::ElementIndex i = 0; i < data_set->element_count() && i < 100; ++i) {
    const std::string text = data_set->path_of(i);
    const auto path = dicom::AttributePath::parse(text);
    require(path.has_value(), "a path that is printed is read");
    require(path->text() == text, "and printed again alike");
    const auto value = top.find(*path);
    // Of two with one path the first is found, and it may lack what the second one holds.
    require(value.has_value() || repeats_a_path(*data_set), "an element is found by its path");
    if (value) check_value(*value);
  }
  const auto path = dicom::AttributePath::parse(as_text(input));
  if (path) {
    const auto again = dicom::AttributePath::parse(path->text());
    require(again && *again == *path, "a path is written as it was read");
  }
  return 0;
}
