namespace Broker.Grains.Interfaces.Records;

/// <summary>Owns what operators manage at run time and every gateway must know: users, access rules, bans. There is one. Key: 0.</summary>
/// <remarks>A gateway keeps a copy of all records and follows the changes, so that nothing is asked on a client's way in.
/// Made for what fits in the memory of every process.</remarks>
[Alias("IRecordsGrain")]
public interface IRecordsGrain : IGrainWithIntegerKey
{
    /// <summary>Stores and removes records, in order, in one transaction.</summary>
    /// <returns>An outcome for each when all are committed and every gateway that can be reached has them.</returns>
    /// <exception cref="RecordsUnavailableException">The store is full or failing: nothing was changed.</exception>
    [Alias("Write")]
    Task<RecordOutcome[]> Write([Immutable] RecordChange[] changes);

    /// <summary>What has changed since; waits a little while nothing has. Asking for what follows says that all before it is known.</summary>
    /// <param name="follower">Who asks: the process that keeps the copy.</param>
    /// <param name="seen">The last <see cref="RecordPage.Next"/>; the default to begin.</param>
    [Alias("Follow")]
    Task<RecordPage> Follow(SiloAddress follower, RecordPosition seen);

    /// <summary>A page of all records, for one who reads them once and follows nothing; does not wait.</summary>
    /// <param name="seen">The last <see cref="RecordPage.Next"/>; the default to begin. What is changed meanwhile comes again.</param>
    [Alias("Read")]
    Task<RecordPage> Read(RecordPosition seen);

    /// <summary>A process stops: it is not waited for any more, and its call is answered.</summary>
    [Alias("Leave")]
    Task Leave(SiloAddress follower);
}

/// <summary>A record to be stored or removed.</summary>
/// <param name="Table">What kind of thing it is, at most 32 ASCII characters.</param>
/// <param name="Key">Its name, unique in the table.</param>
/// <param name="Value">What is known of it; null removes it.</param>
/// <param name="Condition">When it is to be done.</param>
/// <param name="ExpiresAt">When it goes by itself, in Unix milliseconds; 0 is never.</param>
[GenerateSerializer, Immutable, Alias("RecordChange")]
public readonly record struct RecordChange(
    [property: Id(0)] string Table, [property: Id(1)] string Key, [property: Id(2)] byte[]? Value,
    [property: Id(3)] RecordCondition Condition = RecordCondition.Always, [property: Id(4)] long ExpiresAt = 0);

/// <summary>When a change is to be done.</summary>
[Alias("RecordCondition")]
public enum RecordCondition
{
    Always,
    IfAbsent,
    IfPresent,
}

/// <summary>What became of a change.</summary>
[Alias("RecordOutcome")]
public enum RecordOutcome
{
    Done,

    /// <summary>There is one already, and it was to be a new one.</summary>
    Exists,

    /// <summary>There is none to replace or remove.</summary>
    Missing,
}

/// <summary>A record as it was changed last.</summary>
/// <param name="Version">Greater than that of any change before it.</param>
/// <param name="Value">Null: it has been removed.</param>
[GenerateSerializer, Immutable, Alias("Record")]
public sealed record Record(
    [property: Id(0)] long Version, [property: Id(1)] string Table, [property: Id(2)] string Key, [property: Id(3)] byte[]? Value, [property: Id(4)] long ExpiresAt);

/// <summary>How far somebody has followed.</summary>
/// <param name="Version">The last change seen.</param>
/// <param name="Began">The last change when it began: what was removed before does not concern it.</param>
/// <param name="HasBegun">False before the first page.</param>
[GenerateSerializer, Immutable, Alias("RecordPosition")]
public readonly record struct RecordPosition([property: Id(0)] long Version, [property: Id(1)] long Began, [property: Id(2)] bool HasBegun);

/// <summary>Some changes, in the order of their versions.</summary>
/// <param name="Next">What to ask with next.</param>
/// <param name="IsLast">Nothing more has changed up to now.</param>
/// <param name="IsRestart">What was seen is too old, or of another time: the records begin anew, and what they do not name is gone.</param>
[GenerateSerializer, Immutable, Alias("RecordPage")]
public readonly record struct RecordPage(
    [property: Id(0)] Record[] Records, [property: Id(1)] RecordPosition Next, [property: Id(2)] bool IsLast, [property: Id(3)] bool IsRestart);

/// <summary>Records cannot be changed now.</summary>
[GenerateSerializer, Alias("RecordsUnavailableException")]
public sealed class RecordsUnavailableException(string reason) : Exception(reason);
