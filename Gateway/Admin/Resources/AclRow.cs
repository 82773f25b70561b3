using System.Text.Json;
using Broker.Gateway.Security;
using Broker.Gateway.Security.BuiltIn;

namespace Broker.Gateway.Admin.Resources;

/// <summary>An access rule as the API has it: for publishing, subscribing or both.</summary>
internal sealed record AclRow(RuleSubject Subject, string Who, string Topic, bool Allows, bool Publish, bool Subscribe, long Version)
{
    /// <summary>Whom a rule is about that is for all.</summary>
    public const string Everybody = "$all";

    public string Action => (Publish, Subscribe) switch
    {
        (true, true) => "pubsub",
        (true, false) => "pub",
        _ => "sub",
    };

    public string Access => Allows ? "allow" : "deny";

    /// <summary>What is kept of it.</summary>
    public IEnumerable<BuiltInRule> Rules
    {
        get
        {
            if (Publish) yield return new BuiltInRule(Subject, Who, TopicAccess.Publish, Topic, Allows);
            if (Subscribe) yield return new BuiltInRule(Subject, Who, TopicAccess.Subscribe, Topic, Allows);
        }
    }

    /// <summary>The rules about one kind of subject, the newest first.</summary>
    public static IEnumerable<AclRow> Of(BuiltInRules rules, RuleSubject subject) => rules.All
        .Where(entry => entry.Value.Subject == subject)
        .GroupBy(entry => (entry.Value.Who, entry.Value.Topic, entry.Value.Allows))
        .Select(group => new AclRow(
            subject, group.Key.Who, group.Key.Topic, group.Key.Allows, group.Any(one => one.Value.Action == TopicAccess.Publish), group.Any(one => one.Value.Action == TopicAccess.Subscribe),
            group.Max(one => one.Version)))
        .OrderByDescending(row => row.Version);

    public static string FieldOf(RuleSubject subject) => subject switch
    {
        RuleSubject.ClientId => "clientid",
        RuleSubject.UserName => "username",
        _ => "all",
    };

    public void Write(Utf8JsonWriter json)
    {
        json.WriteString(FieldOf(Subject), Subject == RuleSubject.All ? Everybody : Who);
        json.WriteString("topic", Topic);
        json.WriteString("action", Action);
        json.WriteString("access", Access);
    }
}
