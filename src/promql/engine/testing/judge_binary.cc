#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "model/go/math.h"
#include "promql/engine/testing/judge.h"

namespace gauntlet::promql {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

double Arithmetic(BinaryOp op, double a, double b, bool* keep) {
  *keep = true;
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
    case BinaryOp::kMod:
      return std::fmod(a, b);
    case BinaryOp::kPow:
      return GoPow(a, b);
    case BinaryOp::kAtan2:
      return GoAtan2(a, b);
    case BinaryOp::kEqual:
      *keep = a == b;
      return a;
    case BinaryOp::kNotEqual:
      *keep = a != b;
      return a;
    case BinaryOp::kLess:
      *keep = a < b;
      return a;
    case BinaryOp::kLessEqual:
      *keep = a <= b;
      return a;
    case BinaryOp::kGreater:
      *keep = a > b;
      return a;
    case BinaryOp::kGreaterEqual:
      *keep = a >= b;
      return a;
    default:
      return kNoNumber;
  }
}

bool IsArithmetic(BinaryOp op) { return op <= BinaryOp::kAtan2; }

// Nothing where the two do not go together.
std::optional<JudgeValue> Apply(BinaryOp op, const JudgeValue& a, const JudgeValue& b, bool* keep) {
  if (a.h != nullptr || b.h != nullptr) return CombineJudged(op, a, b, keep);
  if (op == BinaryOp::kTrimLower || op == BinaryOp::kTrimUpper) return std::nullopt;
  return Arithmetic(op, a.f, b.f, keep);
}

}  // namespace

JudgeMatrix Judge::EvalBinary(const BinaryExpr& binary, const Grid& grid) {
  const bool left = binary.lhs->type() == ValueType::kScalar, right = binary.rhs->type() == ValueType::kScalar;
  return StepByStep({binary.lhs.get(), binary.rhs.get()}, grid, [&](std::vector<Vector>& in, int64_t t) -> Vector {
    bool keep;
    if (left && right) {
      double v = Arithmetic(binary.op, in[0][0].value.f, in[1][0].value.f, &keep);
      return {{Labels(), IsArithmetic(binary.op) ? v : keep ? 1.0 : 0.0, false, t}};
    }
    if (left || right) {
      Vector out;
      for (Sample s : in[left ? 1 : 0]) {
        const JudgeValue scalar = in[left ? 0 : 1][0].value;
        auto v = Apply(binary.op, left ? scalar : s.value, left ? s.value : scalar, &keep);
        if (!v) continue;
        if (binary.return_bool) {
          s.value = keep ? 1.0 : 0.0;
        } else if (!keep) {
          continue;
        } else if (IsArithmetic(binary.op) || s.value.h != nullptr) {
          s.value = *v;
        }
        if (binary.return_bool || IsArithmetic(binary.op)) Drop(&s);
        out.push_back(std::move(s));
      }
      return out;
    }
    if (binary.op == BinaryOp::kAnd || binary.op == BinaryOp::kOr || binary.op == BinaryOp::kUnless) {
      return SetOperation(binary, in[0], in[1]);
    }
    return VectorBinary(binary, in[0], in[1]);
  });
}

Judge::Vector Judge::SetOperation(const BinaryExpr& binary, const Vector& lhs, const Vector& rhs) {
  auto signature = [&](const Sample& s) { return GroupLabels(s.labels, binary.matching->labels, binary.matching->on); };
  std::set<Labels> left, right;
  for (const Sample& s : lhs) left.insert(signature(s));
  for (const Sample& s : rhs) right.insert(signature(s));
  Vector out;
  for (const Sample& s : lhs) {
    bool in_right = right.contains(signature(s));
    if (binary.op == BinaryOp::kOr || in_right == (binary.op == BinaryOp::kAnd)) out.push_back(s);
  }
  for (const Sample& s : rhs) {
    if (binary.op == BinaryOp::kOr && !left.contains(signature(s))) out.push_back(s);
  }
  return out;
}

Judge::Vector Judge::VectorBinary(const BinaryExpr& binary, const Vector& lhs, const Vector& rhs) {
  if (lhs.empty() || rhs.empty()) return {};
  const VectorMatching& m = *binary.matching;
  const bool swap = m.card == MatchCardinality::kOneToMany;
  const Vector &many = swap ? rhs : lhs, &one = swap ? lhs : rhs;
  auto signature = [&](const Sample& s) { return GroupLabels(s.labels, m.labels, m.on); };
  std::map<Labels, const Sample*> by_signature;
  for (const Sample& s : one) {
    auto [at, fresh] = by_signature.emplace(signature(s), &s);
    if (fresh) continue;
    std::string a = s.labels.ToString(), b = at->second->labels.ToString();
    Fail("found duplicate series for the match group " + signature(s).ToString() + " on the " +
         (swap ? "left" : "right") + " hand-side of the operation: [" + std::min(a, b) + ", " + std::max(a, b) +
         "];many-to-many matching not allowed: matching labels must be unique on one side");
    return {};
  }
  std::set<std::pair<Labels, Labels>> matched;
  Vector out;
  for (const Sample& s : many) {
    auto partner = by_signature.find(signature(s));
    if (partner == by_signature.end()) continue;
    const Sample& o = *partner->second;
    bool keep;
    auto v = Apply(binary.op, swap ? o.value : s.value, swap ? s.value : o.value, &keep);
    if (!v) continue;
    if (binary.return_bool) v = keep ? 1.0 : 0.0;
    LabelsBuilder builder(s.labels);
    if (IsArithmetic(binary.op) || (binary.return_bool && !options_.delayed_name_removal)) {
      builder.Del("__name__").Del("__type__").Del("__unit__");
    }
    if (m.card == MatchCardinality::kOneToOne) {
      if (m.on) {
        builder.Keep(m.labels);
      } else {
        for (const std::string& name : m.labels) builder.Del(name);
      }
    }
    Labels before = builder.Build();
    LabelsBuilder with(before);
    for (const std::string& name : m.include) with.Set(name, o.labels.Get(name));
    Labels labels = with.Build();
    bool one_to_one = m.card == MatchCardinality::kOneToOne;
    if (!matched.emplace(partner->first, one_to_one ? Labels() : labels).second) {
      Fail(one_to_one ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                      : "multiple matches for labels: grouping labels must ensure unique matches");
      return {};
    }
    if (keep || binary.return_bool) out.push_back({labels, *v, binary.return_bool, s.time});
  }
  return out;
}

}  // namespace gauntlet::promql
