namespace Broker.Gateway.Security.BuiltIn;

/// <summary>Whom one of the broker's own rules is about.</summary>
internal enum RuleSubject
{
    All,
    UserName,
    ClientId,
}

/// <summary>One of the broker's own access rules. There is one for each subject, action and topic.</summary>
/// <param name="Who">The user name or client identifier; empty for all.</param>
/// <param name="Action">Publish or subscribe: what is both is two rules.</param>
internal sealed record BuiltInRule(RuleSubject Subject, string Who, TopicAccess Action, string Topic, bool Allows)
{
    /// <summary>Its key in the store. Names may hold anything but NUL.</summary>
    public string Key => $"{Subject}\0{Who}\0{Action}\0{Topic}";
}
