using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.Sources;

/// <summary>Rules of databases that only say what is allowed: what is not on the list is denied.</summary>
internal sealed class AllowList
{
    private readonly List<Rule> rules = [];

    /// <summary>Allows a filter, in which `%c` and `%u` stand for the client's names.</summary>
    public void Add(RuleAccess access, string filter)
    {
        if (filter.Length > 0) rules.Add(new Rule(true, Who.Everybody, access, [TopicPattern.Parse(filter)]) { Text = $"allow {access} {filter}" });
    }

    /// <summary>The list, at its end a denial of the rest.</summary>
    public RuleSet Close() => new([.. rules, new Rule(false, Who.Everybody, RuleAccess.Both, null) { Text = "not on the allow-list" }]);
}
