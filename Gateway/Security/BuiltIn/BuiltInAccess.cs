using System.Text;
using Broker.Gateway.Records;
using Broker.Gateway.Security.Passwords;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>Manages the broker's own users and access rules, at run time and for the whole cluster.</summary>
/// <remarks>What has been answered holds in every process that can be reached.</remarks>
internal sealed class BuiltInAccess(RecordFeed records, BuiltInUsers users, BuiltInRules rules, IOptions<BuiltInOptions> options, TimeProvider time)
{
    private const int LongestName = 65_535; // as MQTT has it
    private const string NameFault = "A name has 1 to 65,535 bytes and no NUL.";
    private readonly PasswordHash hash = PasswordHash.TryParse(options.Value.PasswordHash, out var parsed)
        ? parsed
        : throw new ArgumentException($"{BuiltInOptions.Section}:PasswordHash");

    /// <summary>Now, in Unix milliseconds.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether something can be a user name or client identifier.</summary>
    public static bool IsName(string name) => name.Length > 0 && !name.Contains('\0') && Encoding.UTF8.GetByteCount(name) <= LongestName;

    /// <summary>What is wrong with a rule; null if nothing is.</summary>
    public static string? FaultOf(BuiltInRule rule)
    {
        if (rule.Subject == RuleSubject.All ? rule.Who.Length > 0 : !IsName(rule.Who)) return NameFault;
        var filter = rule.Topic.StartsWith("eq ", StringComparison.Ordinal) ? rule.Topic[3..] : rule.Topic;
        return TopicFilter.TryParse(filter, out _) ? null : $"'{rule.Topic}' is no topic filter.";
    }

    /// <summary>A user with this password, as new ones are kept.</summary>
    public BuiltInUser Keep(string password, bool isSuperuser)
    {
        var (hashed, salt) = hash.Make(Encoding.UTF8.GetBytes(password));
        return new BuiltInUser(options.Value.PasswordHash, hashed, salt, isSuperuser, NowMs);
    }

    /// <summary>Adds a user.</summary>
    /// <returns><see cref="RecordOutcome.Exists"/> if there is one of that name.</returns>
    /// <exception cref="ArgumentException">The name is empty, too long or holds NUL.</exception>
    /// <exception cref="RecordsUnavailableException">The store takes no changes now.</exception>
    public Task<RecordOutcome> AddUserAsync(UserKind kind, string name, string password, bool isSuperuser = false) =>
        PutUserAsync(kind, name, password, isSuperuser, RecordCondition.IfAbsent);

    /// <summary>Gives a user another password.</summary>
    /// <returns><see cref="RecordOutcome.Missing"/> if there is none of that name.</returns>
    /// <inheritdoc cref="AddUserAsync" path="/exception"/>
    public Task<RecordOutcome> UpdateUserAsync(UserKind kind, string name, string password, bool isSuperuser = false) =>
        PutUserAsync(kind, name, password, isSuperuser, RecordCondition.IfPresent);

    /// <summary>Removes a user. Its connections stay.</summary>
    /// <inheritdoc cref="UpdateUserAsync" path="/returns"/>
    /// <inheritdoc cref="AddUserAsync" path="/exception"/>
    public async Task<RecordOutcome> RemoveUserAsync(UserKind kind, string name) => (await records.WriteAsync(users.Delete(BuiltInUsers.KeyOf(kind, name))))[0];

    /// <summary>Adds rules, each in front of what its subject has; the same rule with another answer replaces it.</summary>
    /// <exception cref="ArgumentException">A topic is no filter, or a name is not one.</exception>
    /// <inheritdoc cref="AddUserAsync" path="/exception"/>
    public Task AddRulesAsync(params IEnumerable<BuiltInRule> added) => records.WriteAsync([.. added.Select(rule => rules.Put(Check(rule).Key, rule))]);

    /// <summary>Removes the rules of a subject for a topic, for publishing and subscribing.</summary>
    /// <returns><see cref="RecordOutcome.Missing"/> if there was none.</returns>
    /// <inheritdoc cref="AddUserAsync" path="/exception"/>
    public async Task<RecordOutcome> RemoveRulesAsync(RuleSubject subject, string who, string topic)
    {
        var outcomes = await records.WriteAsync(
            [.. Enum.GetValues<TopicAccess>().Select(action => rules.Delete(new BuiltInRule(subject, who, action, topic, false).Key))]);
        return outcomes.Contains(RecordOutcome.Done) ? RecordOutcome.Done : RecordOutcome.Missing;
    }

    private async Task<RecordOutcome> PutUserAsync(UserKind kind, string name, string password, bool isSuperuser, RecordCondition condition)
    {
        if (!IsName(name)) throw new ArgumentException(NameFault);
        return (await records.WriteAsync(users.Put(BuiltInUsers.KeyOf(kind, name), Keep(password, isSuperuser), condition)))[0];
    }

    private static BuiltInRule Check(BuiltInRule rule) => FaultOf(rule) is { } fault ? throw new ArgumentException(fault) : rule;
}
