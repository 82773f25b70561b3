using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security;

/// <summary>One link of the authentication chain.</summary>
/// <remarks>Called on an event loop: must not block. Links are asked in their order until one does not ignore.</remarks>
internal interface IAuthenticator
{
    /// <summary>Decides whether a client is who it says.</summary>
    /// <param name="password">As it came; never logged or kept.</param>
    ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password);
}

/// <summary>What an authenticator says: ignore (ask the next), allow, or deny with a code.</summary>
internal readonly record struct AuthenticationResult(AuthenticationVerdict Verdict, ReasonCode Code = ReasonCode.Success);

/// <summary>The three answers of an authenticator.</summary>
internal enum AuthenticationVerdict
{
    Ignore,
    Allow,
    Deny,
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
internal readonly record struct EnhancedStep(ReasonCode Code, byte[]? Data = null);

/// <summary>One link of the authorisation chain; asked in order until one does not ignore.</summary>
internal interface IAuthorizer
{
    /// <summary>Whether a client may publish to a topic or subscribe to a filter (its own, without mountpoint and share prefix). Must not block.</summary>
    ValueTask<AuthorizationVerdict> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic);
}

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

/// <summary>Is told of a client's life. Called on an event loop: must not block.</summary>
internal interface IClientObserver
{
    void Connected(ClientInfo client);

    /// <summary>A connection attempt was refused.</summary>
    void Refused(ClientInfo client, ReasonCode code, string reason);

    void Disconnected(ClientInfo client, string reason);
}
