using System.Text.RegularExpressions;

namespace Broker.Gateway.Cli;

/// <summary>An argument or option of a command.</summary>
/// <param name="Choices">The values that are allowed; none for any.</param>
internal sealed record UsageItem(string Name, bool IsOption, bool IsFlag, bool IsRequired, string[] Choices);

/// <summary>A command's usage, taken apart.</summary>
internal sealed partial record CommandUsage(string[] Words, UsageItem[] Items)
{
    public static CommandUsage Parse(string usage)
    {
        var items = Item().Matches(usage).Select(match => Read(match.Value)).ToArray();
        return new CommandUsage(Item().Replace(usage, "").Split(' ', StringSplitOptions.RemoveEmptyEntries), items);
    }

    private static UsageItem Read(string text)
    {
        var isRequired = text[0] == '<';
        var parts = text[1..^1].Split(':', 2);
        var words = parts[0].Split(' ');
        var isOption = words[0].StartsWith("--", StringComparison.Ordinal);
        var choices = parts.Length > 1 ? parts[1].Split('|') : [];
        return new UsageItem(words[0].TrimStart('-'), isOption, isOption && words.Length == 1 && choices.Length == 0, isRequired, choices);
    }

    [GeneratedRegex(@"<[^>]+>|\[[^\]]+\]")]
    private static partial Regex Item();
}
