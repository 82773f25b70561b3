using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Security.Rules;

/// <summary>A file of rules cannot be read.</summary>
/// <param name="line">Where, from 1.</param>
/// <param name="reason">What was expected.</param>
internal sealed class RuleFormatException(int line, string reason) : Exception($"line {line}: {reason}");

/// <summary>Looks at the topics that operators write.</summary>
internal static class RuleTopics
{
    /// <summary>Reads a filter.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static TopicPattern Check(string text) => TopicFilter.TryParse(text, out _)
        ? TopicPattern.Parse(text)
        : throw new FormatException($"'{text}' is no topic filter");
}
