namespace Broker.Gateway.Security.Rules;

/// <summary>What a rule is about.</summary>
[Flags]
internal enum RuleAccess
{
    Subscribe = 1,
    Publish = 2,
    Both = 3,
}

/// <summary>One access rule.</summary>
/// <param name="Topics">None stands for no topic at all; null for every topic.</param>
internal sealed record Rule(bool Allows, IWho Who, RuleAccess Access, IReadOnlyList<TopicPattern>? Topics)
{
    /// <summary>As the operator wrote it, to tell who was refused by what.</summary>
    public string Text { get; init; } = "";
}

/// <summary>The clients one rule is about.</summary>
internal interface IWho
{
    bool Includes(ClientInfo client);
}
