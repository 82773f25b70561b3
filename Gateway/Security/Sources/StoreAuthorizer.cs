using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.Sources;

/// <summary>Looks a client's rules up in a database. As in EMQ X user names that begin with `$` are none of its business.</summary>
internal sealed class StoreAuthorizer(string name, IUserStore store, SourceGuard guard, SourceCache<RuleSet> cache, bool ignoresOutages) : IAuthorizer
{
    public string Name => name;

    public bool HasNoRules => !store.KnowsRules;

    public async ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        if (HasNoRules || client.UserName is ['$', ..] || !store.MayRule(client)) return default;
        try
        {
            var rules = await cache.GetAsync(store.KeyOf(client), () => guard.AskAsync(token => store.FindRulesAsync(client, token)));
            return rules.Match(client, access, topic);
        }
        catch (SourceUnavailableException fault)
        {
            return new AuthorizationResult(ignoresOutages ? AuthorizationVerdict.Ignore : AuthorizationVerdict.Deny, fault.Message) { IsPassing = true };
        }
    }
}
