using System.Collections.Concurrent;
using Broker.Gateway.Records;
using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>The broker's own access rules, as this process knows them, by whom they are about. As in EMQ X the newest of a subject is asked first.</summary>
internal sealed class BuiltInRules(AnswerEpoch epoch) : RecordTable<BuiltInRule>("acl", BuiltInJson.Default.BuiltInRule)
{
    private static readonly Subject[] Subjects = [];
    private readonly ConcurrentDictionary<(RuleSubject, string), Subject[]> bySubject = new();

    /// <summary>A rule with what it compiles to.</summary>
    private sealed record Subject(Entry Entry, TopicPattern Topic);

    /// <summary>What the rules of one subject say; ignore if none matches.</summary>
    public AuthorizationResult Match(RuleSubject subject, string who, ClientInfo client, TopicAccess access, string topic)
    {
        foreach (var rule in bySubject.GetValueOrDefault((subject, who), Subjects))
        {
            var (action, allows) = (rule.Entry.Value.Action, rule.Entry.Value.Allows);
            if (action != access || !rule.Topic.Covers(client, topic, broadly: !allows)) continue;
            return new AuthorizationResult(allows ? AuthorizationVerdict.Allow : AuthorizationVerdict.Deny, $"{subject} {who} {access} {rule.Entry.Value.Topic}");
        }

        return default;
    }

    protected override string? FaultOf(string key, BuiltInRule value) =>
        value is { Who: not null, Topic: not null } ? BuiltInAccess.FaultOf(value) ?? (key == value.Key ? null : "the key is another rule's") : "a member is missing";

    protected override void Changed(Entry? before, Entry? after)
    {
        var rule = (after ?? before)!.Value;
        var key = (rule.Subject, rule.Who);
        var others = bySubject.GetValueOrDefault(key, Subjects).Where(one => one.Entry.Key != rule.Key);
        Subject[] now = [.. after is null ? others : others.Prepend(new Subject(after, TopicPattern.Parse(rule.Topic)))];
        if (now.Length == 0) bySubject.TryRemove(key, out _);
        else bySubject[key] = now;
        epoch.Next();
    }
}
