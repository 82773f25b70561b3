using System.Text.RegularExpressions;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Modules;

/// <summary>How topics are changed: each rule is a filter, a regular expression and what takes the topic's place, with blanks between them.</summary>
internal sealed class RewriteOptions
{
    public const string Section = "Rewrite";

    /// <summary>For PUBLISH.</summary>
    public string[] Publish { get; set; } = [];

    /// <summary>For SUBSCRIBE and UNSUBSCRIBE.</summary>
    public string[] Subscribe { get; set; } = [];
}

/// <summary>Rejects rules that cannot be read.</summary>
internal sealed class RewriteValidator : IValidateOptions<RewriteOptions>
{
    public ValidateOptionsResult Validate(string? name, RewriteOptions options)
    {
        string?[] faults =
        [
            .. options.Publish.Select((rule, at) => RewriteRule.TryParse(rule, out _, out var fault) ? null : $"{RewriteOptions.Section}:Publish:{at} = '{rule}' is not allowed: {fault}"),
            .. options.Subscribe.Select((rule, at) => RewriteRule.TryParse(rule, out _, out var fault) ? null : $"{RewriteOptions.Section}:Subscribe:{at} = '{rule}' is not allowed: {fault}"),
        ];
        return faults.OfType<string>().ToArray() is { Length: > 0 } found ? ValidateOptionsResult.Fail(found) : ValidateOptionsResult.Success;
    }
}

/// <summary>One rule, such as `x/# ^x/y/(.+)$ z/y/$1`.</summary>
/// <param name="Filter">Which topics it decides about.</param>
/// <param name="Expression">What of them it changes.</param>
/// <param name="Replacement">What they become: `$1` to `$9` are the expression's groups, `%c` and `%u` the client's identifier and user name, but for names that hold a wildcard.</param>
internal sealed record RewriteRule(TopicFilter Filter, Regex Expression, string Replacement)
{
    public static bool TryParse(string text, out RewriteRule rule, out string fault)
    {
        (rule, fault) = (null!, "");
        if (text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var filter, var expression, var replacement]) fault = "it must be a filter, a regular expression and a topic";
        else if (!TopicFilter.TryParse(filter, out var parsed)) fault = $"{filter} is no topic filter";
        else
        {
            try
            {
                // Without backtracking no topic can make it slow.
                rule = new RewriteRule(parsed, new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), replacement);
                return true;
            }
            catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
            {
                fault = wrong.Message;
            }
        }

        return false;
    }

    /// <summary>The topic as the rule leaves it.</summary>
    public string Apply(string topic, ClientInfo client)
    {
        var match = Expression.Match(topic);
        if (!match.Success) return topic;
        return Regex.Replace(Replacement, @"\$(\d)|%c|%u", part => part.Value switch
        {
            "%c" => Name(client.ClientId) ?? part.Value,
            "%u" => Name(client.UserName) ?? part.Value,
            _ => match.Groups[int.Parse(part.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)] is { Success: true } group ? group.Value : part.Value,
        });

        static string? Name(string? name) => Placeholders.HasWildcard(name) ? null : name;
    }
}

/// <summary>Changes topics as the rules say. The last rule whose filter matches decides; access rules hold for what the client wrote.</summary>
internal sealed class TopicRewrite
{
    private readonly Modules modules;
    private readonly Module module;
    private volatile Rules rules;

    public TopicRewrite(Modules modules, IOptionsMonitor<RewriteOptions> options)
    {
        (this.modules, module) = (modules, modules.Find(Modules.Rewrite)!);
        rules = Make(options.CurrentValue);
        options.OnChange(changed => rules = Make(changed));

        static Rules Make(RewriteOptions made) => new(Read(made.Publish), Read(made.Subscribe));
    }

    private sealed record Rules(RewriteRule[] Publish, RewriteRule[] Subscribe);

    /// <summary>Where a client's PUBLISH goes. Asked once for each topic of a client, not for each message.</summary>
    public string OfPublish(string topic, ClientInfo client) => Apply(rules.Publish, topic, client);

    /// <summary>What a client subscribes to instead.</summary>
    /// <param name="path">The filter without its share prefix.</param>
    public string OfSubscribe(string path, ClientInfo client) => Apply(rules.Subscribe, path, client);

    /// <summary>Whether there is nothing to change in topics of PUBLISH.</summary>
    public bool KeepsPublish => rules.Publish.Length == 0 || !modules.IsActive(module);

    private string Apply(RewriteRule[] chosen, string topic, ClientInfo client) =>
        chosen.Length > 0 && modules.IsActive(module) && Array.FindLast(chosen, rule => rule.Filter.Matches(topic)) is { } decides ? decides.Apply(topic, client) : topic;

    private static RewriteRule[] Read(string[] rules) => Array.ConvertAll(rules, text => RewriteRule.TryParse(text, out var rule, out var fault) ? rule : throw new FormatException(fault));
}
