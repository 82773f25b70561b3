using System.Text;
using Broker.Gateway.Security.Rules;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>Looks users and the topics they may use up in a directory. As in EMQ X user names that begin with `$` are not looked up for rules.</summary>
/// <param name="time">For what is remembered.</param>
internal sealed class LdapSource(LdapOptions options, SourceGuard guard, TimeProvider time) : IAuthenticator, IAuthorizer, IDisposable
{
    private const string Enabled = "isEnabled";
    private static readonly (string Attribute, RuleAccess Access)[] RuleAttributes =
        [("mqttPublishTopic", RuleAccess.Publish), ("mqttSubscriptionTopic", RuleAccess.Subscribe), ("mqttPubSubTopic", RuleAccess.Both)];

    private readonly LdapDirectory directory = new(options);
    private readonly LdapFilter filter = LdapFilter.Of(options);
    private readonly string[] userAttributes = options.BindAsUser ? [Enabled] : [Enabled, options.PasswordAttribute];
    private readonly SourceCache<IReadOnlyList<LdapEntry>> users = new(options.CacheSize, options.UserCacheTime, time);
    private readonly SourceCache<RuleSet> rules = new(options.CacheSize, options.RuleCacheTime, time);

    public string Name => "ldap";

    public bool HasNoRules => !options.KnowsRules;

    /// <summary>What is wrong with settings beside those that all servers have.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(LdapOptions options)
    {
        if (!options.BaseDn.Contains("${user}", StringComparison.Ordinal)) yield return (nameof(options.BaseDn), $" = '{options.BaseDn}' does not name the user: it needs ${{user}}");
        for (var i = 0; i < options.Filters.Length; i++)
        {
            var (key, one) = ($"{nameof(options.Filters)}:{i}", options.Filters[i]);
            if (one.Key.Length == 0) yield return ($"{key}:{nameof(one.Key)}", " is empty");
            if (one.Value.Length == 0) yield return ($"{key}:{nameof(one.Value)}", " is empty");
            if (one.Op is not ("and" or "or")) yield return ($"{key}:{nameof(one.Op)}", $" = '{one.Op}' is neither and nor or");
        }
    }

    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        if (!options.KnowsUsers || string.IsNullOrEmpty(client.UserName)) return AuthenticationResult.Ignore;
        try
        {
            var found = await users.GetAsync(client.UserName, () => guard.AskAsync(token => directory.FindAsync(DnOf(client.UserName), filter, userAttributes, token)));
            if (found is not [var user]) return found.Count == 0 ? AuthenticationResult.Ignore : Deny("several entries are the user's");
            if (user.Texts(Enabled).FirstOrDefault() is { } enabled && enabled.Equals("FALSE", StringComparison.OrdinalIgnoreCase)) return Deny("the user is disabled");
            if (password is not { } given) return Deny("no password");
            var isRight = options.BindAsUser
                ? await guard.AskAsync(token => directory.TakesAsync(user.Dn, given, token))
                : user.Values(options.PasswordAttribute).Any(stored => LdapPassword.Verify(stored, given.Span));
            return isRight ? AuthenticationResult.Allow() : Deny("wrong password");
        }
        catch (SourceUnavailableException fault)
        {
            return options.IgnoresOutages ? AuthenticationResult.Ignore : AuthenticationResult.Deny(ReasonCode.ServerUnavailable, fault.Message);
        }
    }

    public async ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        if (HasNoRules || string.IsNullOrEmpty(client.UserName) || client.UserName[0] == '$') return default;
        try
        {
            var set = await rules.GetAsync(client.UserName, () => guard.AskAsync(async token =>
                RulesOf(await directory.FindAsync(DnOf(client.UserName), filter, Array.ConvertAll(RuleAttributes, one => one.Attribute), token))));
            return set.Match(client, access, topic);
        }
        catch (SourceUnavailableException fault)
        {
            return new AuthorizationResult(options.IgnoresOutages ? AuthorizationVerdict.Ignore : AuthorizationVerdict.Deny, fault.Message) { IsPassing = true };
        }
    }

    public void Dispose() => directory.Dispose();

    private static AuthenticationResult Deny(string reason) => AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, reason);

    private static RuleSet RulesOf(IReadOnlyList<LdapEntry> found) => new(
    [
        .. from user in found
           from one in RuleAttributes
           from topic in user.Texts(one.Attribute)
           select new Rule(true, Who.Everybody, one.Access, [TopicPattern.Parse(topic)]) { Text = $"{one.Attribute} {topic}" },
    ]);

    /// <summary>A value's characters that mean something in a name are escaped, all that are not letters or digits of ASCII by their bytes. [RFC 4514, 2.4]</summary>
    private static string Escape(string value)
    {
        var text = new StringBuilder();
        foreach (var one in Encoding.UTF8.GetBytes(value))
        {
            if (char.IsAsciiLetterOrDigit((char)one)) text.Append((char)one);
            else text.Append('\\').Append(Convert.ToHexString([one]));
        }

        return text.ToString();
    }

    private string DnOf(string userName) => options.BaseDn
        .Replace("${username_attr}", options.UserNameAttribute, StringComparison.Ordinal)
        .Replace("${device_dn}", options.DeviceDn, StringComparison.Ordinal)
        .Replace("${user}", Escape(userName), StringComparison.Ordinal);
}
