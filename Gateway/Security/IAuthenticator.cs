using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security;

/// <summary>A source that knows clients: one link of the authentication chain.</summary>
/// <remarks>Called on an event loop: must not block. Sources are asked in their order until one does not ignore.</remarks>
internal interface IAuthenticator
{
    /// <summary>Its name in <see cref="SecurityOptions.AuthenticationOrder"/> and in what is told of refusals.</summary>
    string Name { get; }

    /// <summary>It knows nobody now, so it need not be asked.</summary>
    bool KnowsNobody => false;

    /// <summary>Decides whether a client is who it says.</summary>
    /// <param name="password">As it came; never logged or kept.</param>
    ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password);
}

/// <summary>What a source says of a client: ignore (ask the next), allow, or deny with a code.</summary>
/// <param name="Reason">Why it was denied, for the operator; never sent to the client.</param>
/// <param name="Grants">What an allowed client gets beside; null if nothing.</param>
internal readonly record struct AuthenticationResult(
    AuthenticationVerdict Verdict, ReasonCode Code = ReasonCode.Success, string? Reason = null, ClientGrants? Grants = null)
{
    /// <summary>Which source it was; the chain fills it in.</summary>
    public string? Source { get; init; }

    /// <summary>The source does not know the client.</summary>
    public static AuthenticationResult Ignore => default;

    /// <summary>The client is who it says.</summary>
    public static AuthenticationResult Allow(ClientGrants? grants = null) => new(AuthenticationVerdict.Allow, Grants: grants);

    /// <summary>It is not.</summary>
    public static AuthenticationResult Deny(ReasonCode code, string reason) => new(AuthenticationVerdict.Deny, code, reason);
}

/// <summary>The three answers of an authenticator.</summary>
internal enum AuthenticationVerdict
{
    Ignore,
    Allow,
    Deny,
}

/// <summary>What a source gives to a client that it allows.</summary>
internal sealed record ClientGrants
{
    public static readonly ClientGrants None = new();

    /// <summary>Access rules do not hold for it.</summary>
    public bool IsSuperuser { get; init; }

    /// <summary>Takes the place of the configured mountpoint.</summary>
    public string? Mountpoint { get; init; }

    /// <summary>Access rules that it brought with its credentials; null if none.</summary>
    public GrantedRules? Rules { get; init; }
}

/// <summary>One method of enhanced authentication, 5.0's AUTH exchange. [MQTT-4.12]</summary>
internal interface IEnhancedAuthenticator
{
    /// <summary>The authentication method's name.</summary>
    string Method { get; }

    /// <summary>Begins an exchange: at CONNECT, or at re-authentication.</summary>
    IEnhancedExchange Begin(ClientInfo client);
}

/// <summary>One running AUTH exchange.</summary>
internal interface IEnhancedExchange
{
    /// <summary>Takes the client's authentication data and says how to go on: continue (0x18) with data, success, or a failure code.</summary>
    ValueTask<EnhancedStep> NextAsync(ReadOnlyMemory<byte>? data);
}

/// <summary>The server's next step in an AUTH exchange.</summary>
/// <param name="Reason">Why it failed, for the operator; never sent to the client.</param>
internal readonly record struct EnhancedStep(ReasonCode Code, byte[]? Data = null, string? Reason = null)
{
    /// <summary>On success, the user that the exchange has proved; null if it names none. Becomes the client's user name.</summary>
    public string? UserName { get; init; }

    /// <summary>On success at CONNECT, what the client gets beside; null if nothing.</summary>
    public ClientGrants? Grants { get; init; }

    /// <summary>A failure.</summary>
    public static EnhancedStep Deny(ReasonCode code, string reason) => new(code, null, reason);
}
