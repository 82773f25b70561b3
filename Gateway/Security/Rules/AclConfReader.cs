namespace Broker.Gateway.Security.Rules;

/// <summary>Reads rules in the syntax of EMQ X's `acl.conf`: terms such as <c>{allow, {user, "dashboard"}, subscribe, ["$SYS/#"]}.</c>, comments behind `%`.</summary>
internal static class AclConfReader
{
    /// <summary>Reads a whole file.</summary>
    /// <exception cref="RuleFormatException">A term is no rule.</exception>
    public static RuleSet Read(string text)
    {
        var terms = new ErlangTerms(text);
        var rules = new List<Rule>();
        while (terms.TryReadTerm(out var term, out var line))
        {
            try
            {
                rules.Add(RuleOf(term) with { Text = ErlangTerms.Show(term) });
            }
            catch (FormatException fault)
            {
                throw new RuleFormatException(line, fault.Message);
            }
        }

        return new RuleSet(rules);
    }

    private static Rule RuleOf(object term) => term switch
    {
        ErlangTuple([ErlangAtom access, ErlangAtom("all")]) => new Rule(Allows(access), Who.Everybody, RuleAccess.Both, null),
        ErlangTuple([ErlangAtom access, var who, ErlangAtom action, var topics]) => new Rule(Allows(access), WhoOf(who), Access(action), Topics(topics)),
        _ => throw new FormatException($"{ErlangTerms.Show(term)} where {{allow|deny, all}} or {{allow|deny, Who, publish|subscribe|pubsub, Topics}} was expected"),
    };

    private static bool Allows(ErlangAtom atom) => atom.Name switch
    {
        "allow" => true,
        "deny" => false,
        _ => throw new FormatException($"{atom} where allow or deny was expected"),
    };

    private static RuleAccess Access(ErlangAtom atom) => atom.Name switch
    {
        "publish" => RuleAccess.Publish,
        "subscribe" => RuleAccess.Subscribe,
        "pubsub" => RuleAccess.Both,
        _ => throw new FormatException($"{atom} where publish, subscribe or pubsub was expected"),
    };

    /// <remarks>`clientid` is what EMQ X's documentation says for `client`.</remarks>
    private static IWho WhoOf(object term) => term switch
    {
        ErlangAtom("all") or ErlangTuple([ErlangAtom("user" or "client" or "clientid"), ErlangAtom("all")]) => Who.Everybody,
        ErlangTuple([ErlangAtom("user"), string name]) => Who.User(name),
        ErlangTuple([ErlangAtom("client" or "clientid"), string id]) => Who.Client(id),
        ErlangTuple([ErlangAtom("ipaddr"), string network]) => Who.Address(Network(network)),
        ErlangTuple([ErlangAtom("ipaddrs"), List<object> networks]) => Who.Address([.. networks.Select(Network)]),
        ErlangTuple([ErlangAtom("and"), List<object> parts]) => Who.And([.. parts.Select(WhoOf)]),
        ErlangTuple([ErlangAtom("or"), List<object> parts]) => Who.Or([.. parts.Select(WhoOf)]),
        _ => throw new FormatException($"{ErlangTerms.Show(term)} where all, {{user, \"name\"}}, {{client, \"id\"}}, {{ipaddr, \"10.0.0.0/8\"}}, {{ipaddrs, […]}}, {{'and', […]}} or {{'or', […]}} was expected"),
    };

    private static System.Net.IPNetwork Network(object term) => term is string text && Who.TryParseNetwork(text, out var network)
        ? network
        : throw new FormatException($"{ErlangTerms.Show(term)} where an address or a network such as \"10.0.0.0/8\" was expected");

    private static List<TopicPattern> Topics(object term) => term switch
    {
        List<object> topics => topics.ConvertAll(Topic),
        string topic => [Topic(topic)],
        _ => throw new FormatException($"{ErlangTerms.Show(term)} where a list of topics was expected"),
    };

    private static TopicPattern Topic(object term) => term switch
    {
        string text => RuleTopics.Check(text),
        ErlangTuple([ErlangAtom("eq"), string text]) => TopicPattern.Exact(text),
        _ => throw new FormatException($"{ErlangTerms.Show(term)} where \"topic\" or {{eq, \"topic\"}} was expected"),
    };
}
