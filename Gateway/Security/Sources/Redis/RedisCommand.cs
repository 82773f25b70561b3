using System.Diagnostics.CodeAnalysis;
using StackExchange.Redis;

namespace Broker.Gateway.Security.Sources.Redis;

/// <summary>An operator's command: words, and placeholders anywhere in them. Split before they are filled in, so that a client's value stays within its word.</summary>
internal sealed class RedisCommand
{
    private readonly string name;
    private readonly PlaceholderText[] words;

    private RedisCommand(string name, PlaceholderText[] words) => (this.name, this.words) = (name, words);

    /// <summary>Reads a command.</summary>
    /// <param name="fault">What is wrong with it.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out RedisCommand? command, [NotNullWhen(false)] out string? fault)
    {
        command = null;
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length < 2)
        {
            fault = "it is a command, a key, and what else the command needs, with blanks between them";
            return false;
        }

        var words = new List<PlaceholderText>();
        foreach (var part in parts.AsSpan(1))
        {
            if (!PlaceholderText.TryParse(part, out var word, out fault)) return false;
            words.Add(word);
        }

        fault = null;
        command = new RedisCommand(parts[0], [.. words]);
        return true;
    }

    /// <summary>Whether a client has a value for every placeholder.</summary>
    public bool IsFor(ClientInfo client) => Array.TrueForAll(words, word => word.Expand(client) is not null);

    /// <summary>What its answer depends on of a client.</summary>
    public string KeyOf(ClientInfo client) => CacheKey.Of(words.Select(word => word.Expand(client)));

    /// <summary>Runs it.</summary>
    /// <returns>Null if there is nothing, or nothing there can be: the client has no value for a placeholder.</returns>
    public async Task<RedisResult?> ExecuteAsync(IDatabase database, ClientInfo client)
    {
        var values = Array.ConvertAll(words, word => word.Expand(client));
        if (values.Contains(null)) return null;
        var arguments = values.Select((value, at) => at == 0 ? (object)(RedisKey)value : value!); // by its key a cluster finds the node
        return await database.ExecuteAsync(name, [.. arguments]) is { IsNull: false } result ? result : null;
    }
}
