namespace Broker.Gateway.Security;

/// <summary>A source of access rules: one link of the authorisation chain, asked in order until one does not ignore.</summary>
internal interface IAuthorizer
{
    /// <summary>Its name in <see cref="SecurityOptions.AuthorizationOrder"/> and in what is told of refusals.</summary>
    string Name { get; }

    /// <summary>It has no rules for anybody now. When that changes, so does the <see cref="AnswerEpoch"/>.</summary>
    bool HasNoRules => false;

    /// <summary>Whether a client may publish to a topic or subscribe to a filter (its own, without mountpoint and share prefix). Must not block.</summary>
    ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic);
}

/// <summary>What a source of access rules says.</summary>
/// <param name="Rule">Which rule decided, for the operator; null if the source has no names for them.</param>
internal readonly record struct AuthorizationResult(AuthorizationVerdict Verdict, string? Rule = null)
{
    /// <summary>The source could not be asked: the answer is not to be remembered.</summary>
    public bool IsPassing { get; init; }

    /// <summary>From when on the answer may be another; null if only a change of rules makes it one.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>What the chain says.</summary>
/// <param name="UntilMs">How long it may be remembered, in Unix milliseconds; 0 if not at all.</param>
internal readonly record struct AccessAnswer(bool IsAllowed, long UntilMs);

/// <summary>What a client wants to do with a topic.</summary>
internal enum TopicAccess
{
    Publish,
    Subscribe,
}

/// <summary>The three answers of an authorizer.</summary>
internal enum AuthorizationVerdict
{
    Ignore,
    Allow,
    Deny,
}
