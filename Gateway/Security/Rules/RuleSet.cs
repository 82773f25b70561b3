namespace Broker.Gateway.Security.Rules;

/// <summary>Rules in their order; the first that matches decides.</summary>
internal sealed class RuleSet(IReadOnlyList<Rule> rules)
{
    /// <summary>Of no rules.</summary>
    public static RuleSet Empty { get; } = new([]);

    public int Count => rules.Count;

    /// <summary>Ignore if no rule matches.</summary>
    public AuthorizationResult Match(ClientInfo client, TopicAccess access, string topic)
    {
        var wanted = access == TopicAccess.Publish ? RuleAccess.Publish : RuleAccess.Subscribe;
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if ((rule.Access & wanted) != 0 && rule.Who.Includes(client) && Covers(rule, client, topic))
            {
                return new AuthorizationResult(rule.Allows ? AuthorizationVerdict.Allow : AuthorizationVerdict.Deny, rule.Text);
            }
        }

        return default;
    }

    private static bool Covers(Rule rule, ClientInfo client, string topic)
    {
        if (rule.Topics is null) return true;
        for (var i = 0; i < rule.Topics.Count; i++)
        {
            if (rule.Topics[i].Covers(client, topic, broadly: !rule.Allows)) return true;
        }

        return false;
    }
}
