using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Security;

/// <summary>The ordered chains that decide who may connect and what a client may do. Empty chains allow everything.</summary>
internal sealed class AccessControl(
    IEnumerable<IAuthenticator> authenticators, IEnumerable<IEnhancedAuthenticator> enhanced, IEnumerable<IAuthorizer> authorizers)
{
    private readonly IAuthenticator[] authenticators = [.. authenticators];
    private readonly Dictionary<string, IEnhancedAuthenticator> enhanced = enhanced.ToDictionary(one => one.Method, StringComparer.Ordinal);
    private readonly IAuthorizer[] authorizers = [.. authorizers];

    /// <summary>False if every topic is open to everybody: then nothing needs to be asked.</summary>
    public bool Authorizes => authorizers.Length > 0;

    /// <summary>Success, or the code of the link that denied.</summary>
    public async ValueTask<ReasonCode> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        BrokerCounters.Add(Metric.ClientAuthenticate);
        foreach (var link in authenticators)
        {
            var result = await link.AuthenticateAsync(client, password);
            if (result.Verdict == AuthenticationVerdict.Ignore) continue;
            var allowed = result.Verdict == AuthenticationVerdict.Allow;
            BrokerCounters.Add(allowed ? Metric.ClientAuthSuccess : Metric.ClientAuthFailure);
            return allowed ? ReasonCode.Success : result.Code;
        }

        BrokerCounters.Add(Metric.ClientAuthSuccess);
        BrokerCounters.Add(Metric.ClientAuthSuccessAnonymous);
        return ReasonCode.Success;
    }

    /// <summary>The authenticator of a 5.0 authentication method; null if it is not known.</summary>
    public IEnhancedAuthenticator? FindMethod(string method) => enhanced.GetValueOrDefault(method);

    /// <summary>Whether access is granted.</summary>
    public async ValueTask<bool> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        BrokerCounters.Add(Metric.ClientCheckAcl);
        foreach (var link in authorizers)
        {
            var verdict = await link.AuthorizeAsync(client, access, topic);
            if (verdict != AuthorizationVerdict.Ignore) return verdict == AuthorizationVerdict.Allow;
        }

        return true;
    }
}
