using MongoDB.Bson;

namespace Broker.Gateway.Security.Sources.MongoDb;

/// <summary>An operator's selectors, of which one must fit. A client's value is only ever a text to compare with, never a part of a query.</summary>
internal sealed class MongoSelector(params IEnumerable<string> texts)
{
    private readonly NamedValues[] selectors = [.. texts.Select(text => NamedValues.Parse(text, Placeholders.Known))];

    /// <summary>What is wrong with one; null if nothing is.</summary>
    public static string? FaultOf(string text)
    {
        if (!NamedValues.TryParse(text, Placeholders.Known, out var values, out var fault)) return fault;
        string[] fields = [.. values.Fill(_ => null).Select(one => one.Name)];
        return fields.Length == 0 ? "it names no field" : Array.Exists(fields, field => field[0] == '$') ? "no field begins with '$'" : null;
    }

    /// <summary>The query for one client.</summary>
    /// <returns>Null if the client lacks what every one of them asks for: then nothing is there for it.</returns>
    public BsonDocument? For(ClientInfo client)
    {
        var queries = new BsonArray();
        foreach (var selector in selectors)
        {
            (string Name, string? Value)[] fields = [.. selector.Fill(letter => Placeholders.Resolve(letter, client))];
            if (Array.TrueForAll(fields, field => field.Value is not null)) queries.Add(new BsonDocument("$and", new BsonArray(fields.Select(field => new BsonDocument(field.Name, new BsonDocument("$eq", field.Value))))));
        }

        return queries.Count == 0 ? null : new BsonDocument("$or", queries);
    }
}
