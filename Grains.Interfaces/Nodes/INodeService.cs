using Orleans.Services;

namespace Broker.Grains.Interfaces.Nodes;

/// <summary>A process of the cluster as operators see it: answers for what it holds, and changes it. There is one in each process.</summary>
/// <remarks>What is asked for and answered is named and written as the HTTP API has it, so that processes of different versions understand each other.</remarks>
[Alias("INodeService")]
public interface INodeService : IGrainService
{
    /// <summary>Reads some of what a process holds.</summary>
    [Alias("Read")]
    Task<NodePage> Read(NodeQuery query);

    /// <summary>Changes something in a process.</summary>
    [Alias("Do")]
    Task<NodeResult> Do(NodeCommand command);
}

/// <summary>What an operator wants to see of a process.</summary>
/// <param name="Resource">What kind of thing, such as `clients`.</param>
/// <param name="Filters">What must hold for it: parameters of the HTTP API, such as `_like_clientid`, and their values.</param>
/// <param name="Skip">How many of what is found are left out at the beginning.</param>
/// <param name="Limit">How many are wanted at most.</param>
[GenerateSerializer, Immutable, Alias("NodeQuery")]
public sealed record NodeQuery([property: Id(0)] string Resource, [property: Id(1)] KeyValuePair<string, string>[] Filters, [property: Id(2)] long Skip = 0, [property: Id(3)] int Limit = int.MaxValue)
{
    /// <summary>A limit that asks for no rows, and for how many there are with the filters.</summary>
    public const int Count = -1;
}

/// <summary>What a process has found.</summary>
/// <param name="Node">The process's name.</param>
/// <param name="Rows">Each a JSON value, UTF-8.</param>
/// <param name="Found">How many there are, those left out included; if there are more than asked for, how many were looked through.</param>
/// <param name="HasMore">There are more than asked for.</param>
[GenerateSerializer, Immutable, Alias("NodePage")]
public sealed record NodePage([property: Id(0)] string Node, [property: Id(1)] byte[][] Rows, [property: Id(2)] long Found, [property: Id(3)] bool HasMore)
{
    /// <summary>Why there is none: what was asked for is not understood. Null if it is.</summary>
    [Id(4)]
    public string? Fault { get; init; }
}

/// <summary>What an operator wants a process to do.</summary>
/// <param name="Resource">With what kind of thing, such as `clients`.</param>
/// <param name="Action">What, such as `kick`.</param>
/// <param name="Name">With which of them.</param>
/// <param name="Arguments">Parameters of the HTTP API and their values.</param>
[GenerateSerializer, Immutable, Alias("NodeCommand")]
public sealed record NodeCommand([property: Id(0)] string Resource, [property: Id(1)] string Action, [property: Id(2)] string Name, [property: Id(3)] KeyValuePair<string, string>[] Arguments);

/// <summary>What a process has done.</summary>
/// <param name="Node">The process's name.</param>
/// <param name="Count">How many things it was done with.</param>
/// <param name="Fault">Why it was not done; null if it was.</param>
[GenerateSerializer, Immutable, Alias("NodeResult")]
public sealed record NodeResult([property: Id(0)] string Node, [property: Id(1)] long Count, [property: Id(2)] string? Fault = null);

/// <summary>A process of the cluster.</summary>
/// <param name="Name">Its name, as <see cref="NodeIdentity"/> has it.</param>
public readonly record struct NodeMember(SiloAddress Address, string Name);

/// <summary>Reaches the processes of the cluster.</summary>
public interface INodeClient
{
    /// <summary>This process.</summary>
    SiloAddress Self { get; }

    /// <summary>The processes that are members now, this one included, in an order that stays.</summary>
    NodeMember[] Members { get; }

    /// <summary>The service of a process.</summary>
    INodeService At(SiloAddress node);
}
